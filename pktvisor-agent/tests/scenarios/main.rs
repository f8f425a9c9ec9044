//! Incidents, end to end: real name servers in network namespaces, ordinary traffic, then a fault.
//! The agent names it within ten seconds and stops naming it within thirty seconds after its end.
//!
//! Each scenario begins with ordinary traffic, in which nothing may be found.
//!
//! | file | is |
//! |---|---|
//! | `network`, `servers`, `zones`, `load`, `delay` | helpers: machines, servers, clients, a proxy that delays |
//! | `stage` | what every scenario begins with |
//! | `watch`, `screen` | helpers that wait for findings, in JSON and in the terminal UI |
//! | `upstream_dies`, `upstream_slow` | the server that the resolver forwards to |
//! | `random_subdomains`, `greedy_client`, `malformed_client`, `truncation_storm` | what clients do |
//! | `interface_down`, `interface_gone`, `agent_restart` | the agent's own trouble |
//!
//! The tests need root, network namespaces, the kernel programs, the name servers and tmux, and the
//! terminal UI built beside the agent (`cargo build -p pktvisor-tui`). If something is missing, a
//! test prints that and is skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "the tests of live capture need more of it")]
#[path = "../live/agent.rs"]
mod agent;
mod agent_restart;
mod delay;
mod greedy_client;
mod interface_down;
mod interface_gone;
mod load;
mod malformed_client;
mod network;
mod random_subdomains;
mod screen;
mod servers;
mod stage;
mod truncation_storm;
mod upstream_dies;
mod upstream_slow;
mod watch;
mod zones;
