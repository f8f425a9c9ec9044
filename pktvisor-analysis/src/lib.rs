//! What a packet means: DNS messages, transactions, geography, names.
//!
//! Vocabulary (RFC 9499): a *message* is a query or a response; a *transaction* is a query and the response that
//! answers it; a *question* is QNAME, QTYPE and QCLASS. Everything found is told to an [`Observer`], which stands
//! downstream and remembers it.
//!
//! This crate decides what a number means, and knows neither where packets come from nor what becomes of its findings: the
//! metrics depend on it for the events they count, and the agent, which leads packets through it.
//! `examples/responses.rs` uses it without either: it prints the DNS responses of a capture file.

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
pub use flow::{Flow, Transport, ip_address};
pub use observer::{Asker, Observer, Outcome, ReassemblyEvent, Transaction};
pub use settings::AnalysisSettings;
