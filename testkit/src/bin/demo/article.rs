//! The record of the walk-through, and what it must look like when it is read back.

use serde_json::Value;
use testkit::official::bits;

/// As written in the documentation of the Connect plugin.
pub(crate) const ARTICLE: &str = r#"{"id": 0, "title": "The Reported Mortality Rate of Coronavirus Is Not Important", "title_vector": [0.041732933, 0.013779674, -0.027564144, -0.013061441, 0.009748648, 0.00082446384, -0.00071647146, 0.048612226], "link": "https://medium.com/swlh/the-reported-mortality-rate-of-coronavirus-is-not-important-369989c8d912"}"#;

/// The vector's numbers, each rounded once, from its text to the nearest f32.
pub(crate) fn vector() -> Vec<f32> {
    let inside = ARTICLE.split(['[', ']']).nth(1).expect("an array");
    let numbers = inside.split(',').map(|number| number.trim().parse());
    numbers.map(|number| number.expect("a number")).collect()
}

/// Record beside entity, field by field; the vector as the bits of its f32 values.
pub(crate) fn compare(entity: &Value) -> String {
    let record: Value = serde_json::from_str(ARTICLE).expect("JSON");
    let mut text = String::new();
    let mut pair = |field: &str, produced: &str, read: &str| {
        let equal = if produced == read {
            "equal"
        } else {
            "DIFFERENT"
        };
        text += &format!("{field:<13} produced  {produced}\n{equal:<13} read back {read}\n");
    };
    for field in ["id", "title", "link"] {
        pair(
            field,
            &record[field].to_string(),
            &entity[field].to_string(),
        );
    }
    let read = entity["title_vector_bits"].as_str().unwrap_or("no vector");
    pair("title_vector", &bits(&vector()), read);
    assert!(
        !text.contains("DIFFERENT"),
        "the entity is not the record:\n{text}"
    );
    text
}
