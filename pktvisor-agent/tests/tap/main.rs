//! AF_XDP sockets on interfaces of the tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
mod kernel;
mod lengths;
mod program;
mod sockets;
