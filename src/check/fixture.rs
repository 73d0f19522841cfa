//! A configuration for tests.

use crate::config::{self, Config, Sources};

/// The least there can be, and `set`.
pub(super) fn config(set: &[(&str, &str)]) -> Config {
    let least = [
        ("name", "n"),
        ("topics", "t"),
        ("public.endpoint", "http://localhost:19530"),
    ];
    let pairs = least.iter().chain(set);
    let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    config::load(&Sources {
        set: pairs.map(own).collect(),
        ..Sources::default()
    })
    .unwrap()
}
