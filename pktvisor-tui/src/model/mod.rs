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
mod lists;
mod observation;
mod printable;
mod rates;
mod recent;
mod saved;
#[cfg(test)]
mod tests;

pub use agent::{AgentInfo, AgentLink, AgentModel, Standing};
pub use capture::{CaptureState, WatchedInterface};
pub use figures::{InOut, SpanFigures};
pub use findings::{FindingRow, SubjectKind};
pub use focus::FocusModel;
pub use health::HealthLevel;
pub use history::{History, PeriodPoint, SecondSample};
pub use lists::{ListKind, RatesGiven, Row, RowSubject, Sort, Sorts};
pub use observation::{Observation, Rcode};
pub use printable::{KeptEnd, Printable, escape, fit};
pub use rates::RowRate;
pub use recent::RecentSeconds;
pub use saved::{SavedAgent, SavedError, read_saved};
