//! Answers to clients, over HTTP.
//!
//! ```text
//! source      what the server needs from the agent
//! listen      the addresses it listens on
//! zone        link-local addresses and their interfaces
//! limits      bounds of time and number for clients
//! stream      a connection with time limits
//! connections the open connections, and which of them makes room
//! host        the host that a request names, and which hosts a listener accepts
//! origins     the origins whose pages may read answers
//! refusal     requests that reach no handler
//! server      the accept loop: bounds and shutdown
//! routes      paths and methods
//! api         the state that handlers share
//! query       the parameters of a request
//! filter      a filter on messages, made of parameters
//! watching    the paths that start a focus or a stream of packets
//! cache       merges periods once a second, however many clients ask
//! answer      bodies, errors, compression
//! packets     a stream of packets
//! page        the web page at `/`
//! prometheus  the formats that Prometheus scrapes
//! openapi     the description of the API
//! ```
//!
//! The contract is version 1 of the JSON of [`pktvisor_api`]; `docs/openapi.json` is its golden
//! copy.

mod answer;
mod api;
mod cache;
mod common_failures;
mod connections;
mod filter;
mod host;
mod limits;
mod listen;
pub mod openapi;
mod origins;
mod packets;
mod page;
mod period;
mod prometheus;
mod query;
mod refusal;
mod routes;
mod server;
mod source;
mod stream;
mod watching;
mod zone;

pub use limits::Limits;
pub use listen::BindError;
pub use server::Server;
pub use source::{AnswerSource, Moment, PacketsError, PeriodError, Window};
pub use zone::ZoneError;
