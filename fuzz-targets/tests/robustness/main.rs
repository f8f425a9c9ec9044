//! For any input, the agent ends with a summary that adds up, or with a clear error.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../../pktvisor-agent/tests/support/captures.rs"]
mod captures;
mod corpus;
mod damage;
mod random;
