//! The capabilities that the agent needs, and those that it gives away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
mod giving_up;
mod network;
