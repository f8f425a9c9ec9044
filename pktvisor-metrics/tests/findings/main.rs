//! What is found in ordinary traffic, which is nothing, and in traffic with an attack.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attacks;
mod captures;
mod cold_start;
mod cost;
mod inspected;
mod ordinary;
