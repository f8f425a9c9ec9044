//! The agent: one straight line from packets to answers.
//!
//! ```text
//! capture/   where packets come from
//! analysis/  what a packet means
//! metrics/   what is remembered
//! serve/     how it is read
//! ```
//!
//! Data flows one way and each folder knows only what stands above it.

pub mod analysis;
pub mod capture;
pub mod cli;
pub mod metrics;
pub mod run;
pub mod serve;
