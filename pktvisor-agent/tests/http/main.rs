//! The web server over real sockets, answering from a source of known numbers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod connections;
mod contract;
mod focus;
mod formats;
mod hosts;
mod origins;
mod packets;
mod page;
mod paths;
mod promises;
mod requests;
mod schema;
mod source;
mod tls;
mod token;
mod zones;
