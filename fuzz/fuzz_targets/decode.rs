//! Any bytes as payloads, with any schema: `cargo +nightly fuzz run decode`.
#![no_main]

#[path = "../body.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    body::decode_anything(input);
});
