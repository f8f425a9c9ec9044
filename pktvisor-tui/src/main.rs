//! The terminal UI of pktvisor.
fn main() {}
