//! Answers to clients, over HTTP.
//!
//! ```text
//! source      what the server needs from the agent
//! listen      the addresses it listens on
//! zone        link-local addresses and their interfaces
//! limits      bounds of time and number for clients
//! secret_file files with a secret
//! tls         the certificate and key of the server
//! token       the token that clients have to show
//! statistics  what clients were not granted
//! connections the open connections, and which of them makes room
//! server      listening and accepting
//! acceptor    a place for each new connection, and shutdown
//! exchange    one connection: handshake, checks, answers
//! stream      a connection with time limits
//! host        the host that a request names, and which hosts a listener accepts
//! origins     the origins whose pages may read answers
//! refusal     requests that reach no handler
//! routes      paths and methods
//! api         the state that handlers share
//! listing     answers with lists of a chosen length
//! query       the parameters of a request
//! filter      a filter on messages, made of parameters
//! watching    the paths that start a focus or a stream of packets
//! sketches    the path whose answers merge with those of other agents
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

mod acceptor;
mod answer;
mod api;
mod cache;
mod common_failures;
mod connections;
mod exchange;
mod filter;
mod host;
mod limits;
mod listen;
mod listing;
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
mod sketches;
mod source;
mod statistics;
mod stream;
mod tls;
mod token;
mod watching;
mod zone;

pub use limits::Limits;
pub use listen::BindError;
pub use server::Server;
pub use source::{AnswerSource, Moment, PacketsError, PeriodError, Window};
pub use tls::ServerIdentity;
pub use token::AccessToken;
pub use zone::ZoneError;
