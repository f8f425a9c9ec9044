//! Merges the windows of several agents into the window that one agent would have reported, had it
//! seen all their traffic.
//!
//! ```text
//! document    what a document of an agent must be like
//! rows        the rows of a period by kind, generated from their declarations
//! distinct    the union of distinct items
//! histogram   the sum of histograms, and their quantiles
//! lists       top lists, with bounds that hold for the sum of all agents
//! union       the merged window
//! ```
//!
//! Programs that show or keep several agents depend on this crate. It knows the documents of the HTTP
//! JSON and nothing of the agents that wrote them: a document is foreign input, which is checked
//! before it counts, and no document causes a panic or unbounded memory.

mod distinct;
mod document;
mod histogram;
mod lists;
mod rows;
mod union;

pub use document::{DocumentError, ENTRIES_MAX};
pub use histogram::{quantile, quantiles, relative_error};
pub use union::{FleetMerge, FleetUnion};
