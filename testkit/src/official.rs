//! The official Milvus client (pymilvus), for reading back what nobody should have to take our word for.

use std::process::Stdio;

use serde_json::Value;

use crate::services;

/// A server and a token, as the official client takes them.
#[derive(Debug, Clone, Copy)]
pub struct OfficialClient<'a> {
    pub endpoint: &'a str,
    pub token: Option<&'a str>,
}

impl OfficialClient<'_> {
    /// One entity, all fields; beside a float vector `f` stands `f_bits`, its float32 values in hex.
    pub fn get(&self, collection: &str, key: &str) -> Value {
        self.ask(collection, &["get", key])
    }

    pub fn count(&self, collection: &str) -> u64 {
        let count = self.ask(collection, &["count"]);
        count.as_u64().expect("a count")
    }

    /// The nearest entity: `id`, `distance`, `entity`.
    pub fn search(&self, collection: &str, field: &str, vector: &[f32]) -> Value {
        let vector = serde_json::to_string(vector).expect("floats");
        self.ask(collection, &["search", field, &vector])
    }

    fn ask(&self, collection: &str, question: &[&str]) -> Value {
        let mut python = services::python();
        python.arg(services::repository().join("tools/read_back.py"));
        python.args([self.endpoint, self.token.unwrap_or(""), collection]);
        python.args(question).stderr(Stdio::piped());
        let output = python.output().expect("python starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "read_back.py failed: {errors}");
        serde_json::from_slice(&output.stdout).expect("read_back.py prints JSON")
    }
}

/// The float32 values of a vector as `read_back.py` prints them.
pub fn bits(vector: &[f32]) -> String {
    let words = vector
        .iter()
        .map(|value| format!("{:08x}", value.to_bits()));
    words.collect::<Vec<_>>().join(" ")
}
