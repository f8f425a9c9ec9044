//! The binary `pktvisord` with captures, end to end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod captures;
mod classified;
mod errors;
mod filters;
mod findings;
mod focus;
mod holes;
mod host_auto;
mod packets;
mod prometheus;
mod rolling;
mod sandbox;
mod secure;
mod series;
mod serving;
mod shell;
mod signals;
mod slow_clients;
mod summaries;
#[path = "../support/mod.rs"]
mod support;
mod threads;
