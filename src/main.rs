//! Command line → function → exit status.

fn main() {}
