//! The binary `pktvisord` with captures, end to end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod captures;
mod classified;
mod errors;
mod filters;
mod findings;
mod holes;
mod prometheus;
mod series;
mod serving;
mod shell;
mod signals;
mod slow_clients;
mod summaries;
#[path = "../support/mod.rs"]
mod support;
