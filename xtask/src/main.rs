//! Everything a developer types: setup, build, run, test, bench.
fn main() {}
