//! `bench-allocations WORKLOAD RECORDS`: how often decoding one record asks for memory. Nothing else is measured here, since
//! the allocator that counts is slower than the usual one.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool that prints, and ends where it cannot go on"
)]

use bench_decode::allocations::per_record;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("WORKLOAD RECORDS");
    let workload = next().parse().expect("a workload");
    let records = next().parse().expect("a number of records");
    let counted = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
    println!("{}", per_record(workload, records, counted));
}
