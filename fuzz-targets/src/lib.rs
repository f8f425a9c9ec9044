//! What a fuzzer does with an input: one function for each parser and table that reads what
//! strangers send, with the promises that hold for every input.
//!
//! ```text
//! classifier, name, message   one packet, one name, one message
//! streams, fragments          tables: sequences of segments and of fragments
//! captures                    capture files of each kind
//! ring                        what the kernel hands to userspace
//! filter                      a filter in the kernel and in libpcap
//! pipeline                    packets to the report
//! http                        requests to the agent's server
//! ui                          an agent's answers in the terminal UI
//! ```
//!
//! `fuzz/` links each function with libFuzzer, and `cargo xtask fuzz` runs them. The tests of this
//! crate run the same functions over the committed inputs, and over damaged captures. Most functions
//! read their input as a list of operations ([`arbitrary`]), so that nearly every input means
//! something.
//!
//! `setup` and `identities` hold what is true of every report. Only `fuzz/` depends on this crate.

pub mod captures;
pub mod classifier;
#[cfg(feature = "kernel")]
pub mod filter;
pub mod fragments;
#[cfg(feature = "agent")]
pub mod http;
#[cfg(feature = "agent")]
pub mod identities;
pub mod message;
pub mod name;
#[cfg(feature = "agent")]
pub mod pipeline;
#[cfg(feature = "agent")]
pub mod replayed;
#[cfg(feature = "kernel")]
pub mod ring;
#[cfg(feature = "agent")]
pub mod setup;
pub mod streams;
#[cfg(any(feature = "agent", feature = "terminal"))]
pub mod traffic;
#[cfg(feature = "terminal")]
pub mod ui;
mod work;

/// A function that takes an input, and panics if a promise does not hold.
pub type TargetFunction = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, TargetFunction)] = &[
    ("captures", captures::run),
    ("classifier", classifier::run),
    #[cfg(feature = "kernel")]
    ("filter", filter::run),
    ("fragments", fragments::run),
    #[cfg(feature = "agent")]
    ("http", http::run),
    ("message", message::run),
    ("name", name::run),
    #[cfg(feature = "agent")]
    ("pipeline", pipeline::run),
    #[cfg(feature = "kernel")]
    ("ring", ring::run),
    ("streams", streams::run),
    #[cfg(feature = "terminal")]
    ("ui", ui::run),
];
