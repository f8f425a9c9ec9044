//! Bounds of time and number for clients.

use std::time::Duration;

/// The bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; further ones wait in the kernel's accept queue.
    pub connections: usize,
    /// For a request's header to arrive.
    pub header: Duration,
    /// For an answer to be made, and again for it to be taken.
    pub request: Duration,
    /// Between requests.
    pub idle: Duration,
    /// For answers in flight at shutdown.
    pub shutdown: Duration,
    /// How long an answer made of periods is given again.
    pub cache: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            header: Duration::from_secs(5),
            request: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            shutdown: Duration::from_secs(3),
            cache: Duration::from_secs(1),
        }
    }
}
