//! A limit: fast-float2 on the numbers of the vectors alone, which somebody has cut out before.

use std::collections::HashMap;
use std::hint::black_box;

use serde_json::value::RawValue;

use crate::corpus::Corpus;

#[derive(Debug)]
pub struct Floats<'c> {
    numbers: Vec<&'c [u8]>,
    floats: Vec<f32>,
}

impl<'c> Floats<'c> {
    /// None where dense vectors of numbers are not what the workload is about.
    pub fn new(corpus: &'c Corpus) -> Option<Self> {
        if corpus.workload.floats() == 0 {
            return None;
        }
        let numbers: Vec<&[u8]> = corpus.payloads.iter().flat_map(|p| vector(p)).collect();
        let floats = Vec::with_capacity(numbers.len());
        (!numbers.is_empty()).then_some(Self { numbers, floats })
    }

    /// Every number; there is no request.
    pub fn run(&mut self) {
        self.floats.clear();
        let parsed = self.numbers.iter().map(|number| {
            let parsed: Result<f32, _> = fast_float2::parse(number);
            parsed.expect("a number")
        });
        self.floats.extend(parsed);
        black_box(&self.floats);
    }
}

/// The numbers of the list that one member of the record is.
fn vector(payload: &str) -> impl Iterator<Item = &[u8]> {
    let record: HashMap<String, &RawValue> = serde_json::from_str(payload).expect("a record");
    let lists = record.into_values().map(RawValue::get);
    let lists = lists.filter_map(|text| text.strip_prefix('[')?.strip_suffix(']'));
    let numbers = lists.flat_map(|list| list.split(','));
    numbers
        .map(|number| number.trim().as_bytes())
        .collect::<Vec<_>>()
        .into_iter()
}
