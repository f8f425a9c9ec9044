//! The terminal UI of pktvisor: one agent, or a fleet, live in the terminal.
//!
//! Data flows one way, and the folders read in that order:
//!
//! - [`cli`] says what to watch; [`client`] fetches it over HTTP, one thread an agent;
//! - [`model`] holds what was received: escaped, bounded, and with its age;
//! - [`app`] holds what the operator chose: page, window, filter, zoom. Keys become [`app::Action`]s;
//! - [`pages`] and [`widgets`] turn both into a frame. They are pure: the same state draws the same cells;
//! - [`terminal`] owns the screen and gives it back, whatever happens; [`run`] is the loop around all of it.
//!
//! [`once`] is the other way out: the same model as text or JSON, without a terminal.

pub mod app;
pub mod cli;
pub mod client;
pub mod format;
pub mod model;
pub mod once;
pub mod pages;
pub mod run;
pub mod terminal;
pub mod theme;
pub mod widgets;
