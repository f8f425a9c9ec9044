//! Received data, made safe to show: text without control characters, lists of bounded length, data
//! with its age.
//!
//! Times are [`Duration`](std::time::Duration)s since the UI started. Nothing here reads a clock,
//! so that the same model always draws the same screen.

mod agent;
mod capture;
mod figures;
mod findings;
mod focus;
mod health;
mod history;
mod info;
mod list_table;
mod lists;
mod observation;
mod printable;
mod rates;
mod recent;
mod saved;
mod side;
mod side_history;
#[cfg(test)]
mod tests;

pub use agent::AgentModel;
pub use capture::{CaptureState, WatchedInterface};
pub use figures::{InOut, SpanFigures};
pub use findings::{FindingRow, SubjectKind};
pub use focus::FocusModel;
pub use health::HealthLevel;
pub use history::{History, PeriodPoint, SecondSample};
pub use info::{AgentInfo, AgentLink, Standing};
pub use list_table::{ListKind, RowSubject};
pub use lists::{RatesGiven, Row, Sort, Sorts};
pub use observation::{Observation, Rcode};
pub use printable::{KeptEnd, Printable, escape, fit};
pub use rates::RowRate;
pub use recent::RecentSeconds;
pub use saved::{SavedAgent, SavedError, read_saved};
pub use side::Side;
pub use side_history::SideFigures;
