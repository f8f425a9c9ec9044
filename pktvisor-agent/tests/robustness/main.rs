//! Whatever comes in, the agent ends in a summary that adds up, or in a clear error.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
#[path = "../support/captures.rs"]
mod captures;
mod corpus;
mod damage;
mod identities;
mod random;
