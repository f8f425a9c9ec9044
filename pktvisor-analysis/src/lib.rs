//! The meaning of packets: DNS messages, transactions, geography, names.
//!
//! Vocabulary (RFC 9499): a *message* is a query or a response; a *transaction* is a query and the
//! response that answers it; a *question* is QNAME, QTYPE and QCLASS. Analysis reports its findings
//! to an [`Observer`].
//!
//! This crate knows neither the source of packets nor the use of its findings. The metrics depend
//! on it for the events that they count; the agent depends on it because it sends packets through
//! it. `examples/responses.rs` uses it without both: it prints the DNS responses of a capture file.

mod engine;
pub mod flow;
pub mod fragments;
pub mod geo;
pub mod message;
pub mod mnemonics;
pub mod name;
mod observer;
pub mod public_suffix;
mod settings;
pub mod streams;
mod table;
pub mod transactions;

pub use engine::Analysis;
pub use flow::{Flow, Transport};
pub use observer::{
    ClientSide, ExchangeEnds, InspectedMessage, Observer, Outcome, ReassemblyEvent, TimedOutName,
    TimedOutQuery, Transaction, WaitingQuery,
};
pub use settings::{AnalysisLimits, AnalysisSettings};
