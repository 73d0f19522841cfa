//! The user's walk-through: one record with eight values goes in, an entity with the same values, bit for bit, is there.

use serde_json::json;
use testkit::kafka::Record;

use crate::support::{Job, SOON};

/// As written in the documentation of the Connect plugin.
const RECORD: &str = r#"{"id": 0, "title": "The Reported Mortality Rate of Coronavirus Is Not Important", "title_vector": [0.041732933, 0.013779674, -0.027564144, -0.013061441, 0.009748648, 0.00082446384, -0.00071647146, 0.048612226], "link": "https://medium.com/swlh/the-reported-mortality-rate-of-coronavirus-is-not-important-369989c8d912"}"#;

fn assert_is_there(job: &Job) {
    let rows = job.milvus.query(&job.collection, "id == 0");
    let record: serde_json::Value = serde_json::from_str(RECORD).unwrap();
    assert_eq!(rows.len(), 1);
    for field in ["id", "title", "link"] {
        assert_eq!(rows[0][field], record[field], "{field}");
    }
    let expected: Vec<f64> = RECORD
        .split(['[', ']'])
        .nth(1)
        .unwrap()
        .split(',')
        .map(|number| f64::from(number.trim().parse::<f32>().unwrap()))
        .collect();
    assert_eq!(rows[0]["title_vector"], json!(expected));
}

#[test]
fn one_file() {
    let job = Job::new("one_file", 1);
    let sink = job.start();
    job.topic.produce([Record::new(RECORD)]);
    job.await_committed();
    assert_is_there(&job);
    assert_eq!(sink.terminate(SOON), 0, "{}", sink.output());
}
