//! Any bytes as an array of numbers: `cargo +nightly fuzz run arrays`.
#![no_main]

#[path = "../arrays.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    body::read_any_array(input);
});
