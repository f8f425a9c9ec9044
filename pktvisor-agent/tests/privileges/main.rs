//! What the agent may do, and what it gives away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
mod giving_up;
