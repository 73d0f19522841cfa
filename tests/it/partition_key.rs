//! A collection with a partition key on a server that misroutes upserts into such (2.3.5).

use serde_json::{Value, json};
use testkit::client::{Collection, Type};
use testkit::kafka::Record;
use testkit::sink::Sink;
use testkit::suite;

use crate::support::{Job, SINK, SOON, assert_refused};

const TENANTS: i64 = 5;

fn job(test: &str) -> Job {
    let milvus = suite::milvus();
    let job = Job::with(suite::kafka(), test, 2, milvus.endpoint(), milvus.token());
    let collection = Collection::new(&job.collection)
        .int64_key("id")
        .scalar("tenant", Type::Int64)
        .partition_key()
        .float_vector("vector", 2);
    job.create(&collection);
    job
}

fn row(id: i64) -> Value {
    json!({"id": id, "tenant": id % TENANTS, "vector": [0.5, -1.0]})
}

#[test]
fn upserts_that_the_server_would_misroute_are_refused_and_inserts_are_found_by_the_partition_key() {
    let job = job("partition_key");
    job.topic.produce((0..100).map(|id| Record::json(&row(id))));
    let words = [
        "Milvus 2.3.5 puts upserted rows of a collection with a partition key ('tenant') into wrong partitions",
        "upgrade Milvus to 2.3.11 or later",
        "insert.mode=insert",
    ];
    assert_refused(job.quick(), &words);
    let check = Sink::new(SINK).arg("check").config(&job.config());
    assert_refused(check, &words);
    assert_refused(job.quick().set("insert.mode", "upsert"), &words);
    assert_eq!(job.milvus.count(&job.collection), 0);

    let sink = job.quick().set("insert.mode", "insert").arg("--until-end");
    let (code, output) = sink.run(SOON);
    assert_eq!(code, 0, "{output}");
    for tenant in 0..TENANTS {
        let filter = format!("tenant == {tenant}");
        let mut found = job.milvus.integers(&job.collection, "id", &filter);
        found.sort_unstable();
        let expected: Vec<i64> = (0..100).filter(|id| id % TENANTS == tenant).collect();
        assert_eq!(found, expected, "{filter}");
    }
}
