//! The workloads that everything is measured with: records by seed and number, and the collection they fit.

mod python;
mod random;
mod record;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::client::{Collection, Type};

/// Of all measurements, so that they are of the same bytes.
pub const SEED: u64 = 7;

/// Indices of a sparse vector: the words of BERT.
const VOCABULARY: u32 = 30_522;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// The record of the walk-through: a short text, a vector of 8, a link; 0.3 KB.
    W8,
    /// A vector of 768 as shortest f32, among five scalars; 10.4 KB.
    W768,
    /// The same numbers as Python's `tolist()` gives them: widened to f64, with 17 to 19 digits; 17 KB.
    W768d,
    /// W768 without a space between members and numbers.
    W768c,
    /// A text of 1 KB with escapes and a vector of 1536.
    W1536,
    /// A sparse vector of 120 words, as an object.
    WS,
    /// A vector of 768 bits and one of 768 16-bit floats, in base64.
    WB,
    /// A JSON field, and members that only the dynamic field takes.
    WJ,
}

impl Workload {
    pub const ALL: [Self; 8] = [
        Self::W8,
        Self::W768,
        Self::W768d,
        Self::W768c,
        Self::W1536,
        Self::WS,
        Self::WB,
        Self::WJ,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::W8 => "W8",
            Self::W768 => "W768",
            Self::W768d => "W768d",
            Self::W768c => "W768c",
            Self::W1536 => "W1536",
            Self::WS => "WS",
            Self::WB => "WB",
            Self::WJ => "WJ",
        }
    }

    /// Numbers of the vector that a record brings as text.
    pub fn floats(self) -> usize {
        match self {
            Self::W8 => 8,
            Self::W768 | Self::W768d | Self::W768c => 768,
            Self::W1536 => 1536,
            Self::WS => record::WORDS,
            Self::WB | Self::WJ => 0,
        }
    }

    /// Named `name`; its key is the number of the record.
    pub fn collection(self, name: &str) -> Collection {
        let with_key = Collection::new(name).int64_key("id");
        match self {
            Self::W8 => with_key
                .varchar("title", 512)
                .float_vector("title_vector", 8)
                .varchar("link", 512),
            Self::W768 | Self::W768d | Self::W768c => with_key
                .varchar("title", 512)
                .float_vector("vector", 768)
                .varchar("category", 64)
                .scalar("price", Type::Double)
                .scalar("views", Type::Int64)
                .scalar("active", Type::Bool),
            Self::W1536 => with_key.varchar("text", 4096).float_vector("vector", 1536),
            Self::WS => with_key.scalar("vector", Type::SparseFloatVector),
            Self::WB => with_key.vector("bits", Type::BinaryVector, 768).vector(
                "halves",
                Type::Float16Vector,
                768,
            ),
            Self::WJ => with_key
                .float_vector("vector", 8)
                .scalar("attributes", Type::Json)
                .dynamic(),
        }
    }

    /// Appends record `number` as JSON. It depends on the seed and the number alone.
    pub fn record(self, seed: u64, number: u64, text: &mut String) {
        record::append(self, seed, number, text);
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name);
        let names = || Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| format!("there is no workload '{name}', only {}", names()))
    }
}
