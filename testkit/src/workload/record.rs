//! What a record of each workload says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::python::{self, Object, Separators};
use super::random::Random;
use super::{VOCABULARY, Workload};

/// Entries of a sparse vector.
pub(super) const WORDS: usize = 120;

const TITLE_BYTES: usize = 60;
const TEXT_CHARS: usize = 1000;
const CATEGORIES: [&str; 8] = [
    "books", "garden", "kitchen", "music", "office", "outdoor", "sports", "toys",
];
const COLORS: [&str; 5] = ["black", "blue", "green", "red", "white"];
/// What a text is made of; some of it is escaped.
const SYLLABLES: [&str; 24] = [
    "an", "ber", "con", "da", "el", "fro", "gen", "in", "kal", "lo", "ment", "ne", "or", "pri",
    "ra", "sen", "ta", "ver", "wa", "za", "é", "ü", "\"", "\n",
];
const PLAIN_SYLLABLES: usize = 20;

pub(super) fn append(workload: Workload, seed: u64, number: u64, text: &mut String) {
    let random = &mut Random::of(seed, number);
    let separators = match workload {
        Workload::W768c => Separators::COMPACT,
        _ => Separators::DEFAULT,
    };
    let mut record = Object::begin(text, separators);
    record.integer("id", number);
    match workload {
        Workload::W8 => {
            record.string("title", &prose(random, PLAIN_SYLLABLES, TITLE_BYTES));
            dense(&mut record, "title_vector", 8, random);
            let slug = prose(random, PLAIN_SYLLABLES, 50).replace(' ', "-");
            let link = format!("https://example.org/articles/{:016x}/{slug}", random.next());
            record.string("link", &link);
        }
        Workload::W768 | Workload::W768c | Workload::W768d => {
            product(&mut record, workload, random)
        }
        Workload::W1536 => {
            record.string("text", &prose(random, SYLLABLES.len(), TEXT_CHARS));
            dense(&mut record, "vector", 1536, random);
        }
        Workload::WS => record.object("vector", |vector| sparse(vector, random)),
        Workload::WB => {
            let bits: Vec<u8> = (0..12).flat_map(|_| random.next().to_le_bytes()).collect();
            record.string("bits", &STANDARD.encode(bits));
            let halves: Vec<u8> = (0..768).flat_map(|_| half(random).to_le_bytes()).collect();
            record.string("halves", &STANDARD.encode(halves));
        }
        Workload::WJ => loose(&mut record, random),
    }
    record.end();
}

fn product(record: &mut Object<'_>, workload: Workload, random: &mut Random) {
    record.string("title", &prose(random, PLAIN_SYLLABLES, TITLE_BYTES));
    if workload == Workload::W768d {
        let widened = embedding(768, random).map(f64::from);
        record.list("vector", widened, python::float);
    } else {
        dense(record, "vector", 768, random);
    }
    record.string("category", random.pick(&CATEGORIES));
    record.float("price", price(random));
    record.integer("views", random.below(1_000_000).into());
    record.boolean("active", random.below(2) == 1);
}

fn loose(record: &mut Object<'_>, random: &mut Random) {
    dense(record, "vector", 8, random);
    record.object("attributes", |attributes| {
        attributes.string("brand", &prose(random, PLAIN_SYLLABLES, 12));
        attributes.object("size", |size| {
            size.float("width", price(random));
            size.float("height", price(random));
        });
        let ratings: Vec<u32> = (0..5).map(|_| random.below(6)).collect();
        attributes.list("ratings", ratings, |text, n| text.push_str(&n.to_string()));
        attributes.string("note", &prose(random, SYLLABLES.len(), 80));
    });
    record.string("color", random.pick(&COLORS));
    record.integer("stock", random.below(500).into());
    record.float("discount", price(random));
    record.boolean("new", random.below(2) == 1);
    record.object("origin", |origin| {
        origin.string("country", random.pick(&["AT", "DE", "FR", "IT"]));
        origin.string("city", &prose(random, SYLLABLES.len(), 10));
    });
}

/// As f32: shortest digits.
fn dense(record: &mut Object<'_>, name: &str, dim: u32, random: &mut Random) {
    record.list(name, embedding(dim, random), python::float);
}

/// N(0, 1/√dim), about of length 1.
fn embedding(dim: u32, random: &mut Random) -> impl Iterator<Item = f32> {
    let scale = 1.0 / f64::from(dim).sqrt();
    (0..dim).map(move |_| single(random.normal() * scale))
}

/// Distinct words by rising index, with weights below 3.
fn sparse(vector: &mut Object<'_>, random: &mut Random) {
    let stride = VOCABULARY / u32::try_from(WORDS).expect("a few");
    for word in (0..).step_by(stride as usize).take(WORDS) {
        let word = word + random.below(stride);
        let weight = single(random.uniform() * 3.0);
        vector.member(&word.to_string(), |text| python::float(text, weight));
    }
}

/// Two decimals.
fn price(random: &mut Random) -> f64 {
    f64::from(random.below(100_000)) / 100.0
}

/// A 16-bit float between 2^-8 and 1/4 of either sign: no NaN, no infinity.
fn half(random: &mut Random) -> u16 {
    let sign = random.below(2) << 15;
    let exponent = 7 + random.below(6);
    let bits = sign | exponent << 10 | random.below(1 << 10);
    u16::try_from(bits).expect("16 bits")
}

/// Words of so many characters together, made of the first syllables.
fn prose(random: &mut Random, syllables: usize, chars: usize) -> String {
    let mut text = String::with_capacity(chars + 8);
    let mut length = 0;
    while length < chars {
        let syllable = random.pick(&SYLLABLES[..syllables]);
        text.push_str(syllable);
        length += syllable.chars().count();
        if random.below(3) == 0 {
            text.push(' ');
            length += 1;
        }
    }
    text.chars().take(chars).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "rounded to the nearest f32, as a model computes them"
)]
fn single(value: f64) -> f32 {
    value as f32
}
