//! How it is read: HTTP.
//!
//! ```text
//! source      what the agent can be asked
//! listen      the addresses it is asked on
//! stream      a connection that does not wait for ever
//! server      the accept loop: bounds and shutdown
//! routes      paths and methods
//! cache       merges are made once a second, however many ask
//! answer      bodies, errors, compression
//! prometheus  the text exposition
//! openapi     the API, described
//! ```
//!
//! The contract is version 1 of the JSON of [`pktvisor_api`]; `docs/openapi.json` is its golden copy.

mod answer;
mod cache;
mod listen;
pub mod openapi;
mod prometheus;
mod routes;
mod server;
mod source;
mod stream;

pub use listen::BindError;
pub use server::{Limits, Server};
pub use source::{PeriodError, Source, Window};
