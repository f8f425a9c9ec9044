//! What is wrong: rules on the traffic of the last seconds, and the findings that they raise.
//!
//! Once a second the [`Judge`] takes a [`TrafficObservation`]: what was counted of zones, servers and
//! clients in the last five to ten seconds, and the state of the agent. It applies all rules,
//! compares with the last hour, and keeps the findings as a document of the HTTP JSON. A finding is
//! raised when its rule has held for two seconds, and cleared when it has not held for ten.
//!
//! The crate knows neither packets nor the source of the numbers. docs/findings.md describes each
//! rule with its thresholds.
//!
//! | file | holds |
//! |---|---|
//! | `observation` | the input |
//! | `bounds` | what a sample is sure to say |
//! | `baseline` | the last hour of each zone, server and client |
//! | `symptom` | a rule that holds in this second |
//! | `rules` | the rules, a file for each family |
//! | `judge` | from symptoms to findings |

mod baseline;
mod bounds;
mod judge;
mod observation;
mod rules;
mod symptom;

pub use judge::{CLIENT_QUERIES_MIN, Judge, ZONE_QUERIES_MIN};
pub use observation::{
    AgentObservation, ClientObservation, HeavyClient, InterfaceObservation, LinkCondition, ServerObservation,
    ServerSecond, TrafficObservation, TrafficTotals, ZoneObservation,
};
