//! Received data, made safe to show: text without control characters, lists of bounded length, data
//! with its age.
//!
//! Times are [`Duration`](std::time::Duration)s since the UI started. Nothing here reads a clock,
//! so that the same model always draws the same screen.

mod agent;
mod capture;
mod figures;
mod findings;
mod fleet;
mod health;
mod history;
mod in_out;
mod info;
mod list_table;
mod lists;
mod observation;
mod printable;
mod rates;
mod recent;
mod row_rate;
mod saved;
mod second;
mod side;
mod side_history;
#[cfg(test)]
mod tests;

pub use agent::{AgentModel, FocusModel, KeptSketches};
pub use capture::{CaptureState, WatchedInterface};
pub use figures::SpanFigures;
pub use findings::{FindingRow, SubjectKind};
pub use fleet::{FleetModel, Union, UnionAgents, UnionPart};
pub use health::HealthLevel;
pub use history::{History, PeriodPoint};
pub use in_out::{InOut, QueryDirection};
pub use info::{AgentInfo, AgentLink, Standing};
pub use list_table::{ListKind, RowSubject};
pub use lists::{RatesGiven, Row, Sort, Sorts};
pub use observation::{Observation, Rcode};
pub use printable::{KeptEnd, Printable, escape, fit};
pub use recent::RecentSeconds;
pub use row_rate::RowRate;
pub use saved::{SavedAgent, SavedError, read_saved};
pub use second::SecondSample;
pub use side::Side;
pub use side_history::SideFigures;
