//! The agent: one straight line from packets to answers.
//!
//! ```text
//! capture/   where packets come from
//! analysis/  what a packet means
//! metrics/   what is remembered
//! serve/     how it is read
//! ```
//!
//! Data flows one way and each folder knows only what stands above it. [`pipeline`] is the line that every packet
//! passes, [`replay`] sends a capture file down it, [`live`] takes over what the kernel has counted, [`agent`] is what
//! answers are made of, [`cli`] says what to do and [`run`] does it.

pub mod agent;
pub mod cli;
pub mod live;
pub mod metrics;
pub mod pipeline;
mod progress;
pub mod replay;
pub mod run;
pub mod serve;
