//! The terminal UI of pktvisor: one agent, or a fleet, live in the terminal.
//!
//! Data flows one way, and the folders read in that order:
//!
//! - [`cli`] says what to watch; [`client`] fetches it over HTTP, with one thread for each agent;
//! - [`model`] holds the answers: escaped, bounded, and with their age;
//! - [`theme`] gives styles by meaning;
//! - [`app`] holds the operator's choices: page, window, filter, zoom. Keys become
//!   [`app::Action`]s;
//! - [`widgets`] draw one thing each, as ratatui widgets; [`pages`] lay them out in a frame. Both
//!   are pure: the same state draws the same cells. They return [`app::Regions`], the places that
//!   the mouse can hit;
//! - [`terminal`] owns the screen and always gives it back; [`run`] is the loop around all of it.
//!   Beside it, a thread merges the agents of a fleet into their union.
//!
//! [`once`] prints the same model as text or JSON, without a terminal.

pub mod app;
pub mod cli;
pub mod client;
pub mod format;
mod merger;
pub mod model;
pub mod once;
pub mod pages;
pub mod run;
pub mod terminal;
pub mod theme;
pub mod widgets;
