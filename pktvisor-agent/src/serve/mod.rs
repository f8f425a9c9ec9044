//! How it is read: HTTP.
//!
//! ```text
//! source      what the agent can be asked
//! listen      the addresses it is asked on
//! zone        link-local addresses and their interfaces
//! limits      how much time and room a client gets
//! stream      a connection that does not wait for ever
//! connections the open ones, and which of them makes room
//! refusal     requests that reach no handler
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
mod connections;
mod limits;
mod listen;
pub mod openapi;
mod period;
mod prometheus;
mod refusal;
mod routes;
mod server;
mod source;
mod stream;
mod zone;

pub use limits::Limits;
pub use listen::BindError;
pub use server::Server;
pub use source::{AnswerSource, Moment, PeriodError, Window};
pub use zone::ZoneError;
