//! `pktvisord`, the agent.
fn main() {}
