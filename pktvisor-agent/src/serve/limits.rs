//! Bounds of time and number for clients.

use std::time::Duration;

/// The bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections of one address of another machine at a time (IPv6: of one /64).
    pub per_address: usize,
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

impl Limits {
    /// Connections that only clients on this machine may take, so that no other machine keeps a local
    /// scraper out.
    pub(super) fn reserved(&self) -> usize {
        self.connections / 8
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            per_address: 64,
            header: Duration::from_secs(5),
            request: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            shutdown: Duration::from_secs(3),
            cache: Duration::from_secs(1),
        }
    }
}
