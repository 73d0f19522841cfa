//! Collections that are another one after a while, the sink running: dropped and made again, alike or not.

use serde_json::json;
use testkit::client::Type;
use testkit::kafka::Record;
use testkit::sink::Sink;

use crate::load::Place;
use crate::support::{Job, SOON, article, articles, assert_held};

/// Fifty rows are written, the collection goes, ten more records come, and are held.
fn until_missing(job: &Job, sink: &Sink) -> Place {
    let place = Place::of(job);
    place.produce(0..50);
    job.await_committed();
    job.milvus.drop_collection(&job.collection);
    place.produce(50..60);
    assert_held(sink, "collection_missing", &[&job.collection]);
    assert_eq!(place.committed(), [50]);
    place
}

#[test]
fn a_collection_recreated_under_a_running_sink_halts_it() {
    // Milvus Lite gives no collection an id.
    let job = Job::new("recreated_running", 1);
    let sink = job.quick().start();
    let place = until_missing(&job, &sink);
    job.create(&articles(&job.collection));
    assert_eq!(sink.wait_exit(SOON), 3, "{}", sink.output());
    let halted = sink.find_line(" halted ").unwrap();
    assert!(halted.contains("collection_recreated"), "{halted}");
    assert_eq!(place.committed(), [50]);
    assert_eq!(job.milvus.count(&job.collection), 0, "nothing is written");
}

#[test]
fn where_it_may_be_recreated_its_new_schema_is_written_without_a_restart() {
    let job = Job::on_lite("recreated_anew", 1);
    let sink = job
        .quick()
        .set("behavior.on.collection.recreated", "continue")
        .start();
    until_missing(&job, &sink);
    let with_color = articles(&job.collection)
        .scalar("color", Type::Int32)
        .nullable();
    job.create(&with_color);
    job.milvus.await_count(&job.collection, 10, SOON);
    let mut article = article(99);
    article["color"] = json!(7);
    job.topic.produce([Record::json(&article)]);
    job.await_committed();
    let row = &job.milvus.query(&job.collection, "id == 99")[0];
    assert_eq!(row["color"], json!(7));
    sink.await_readyz(200, SOON);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
