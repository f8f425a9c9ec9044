//! The whole fleet as one agent: the union of its agents' windows.

use std::{sync::Arc, time::Duration};

use fleet_merge::{FleetMerge, FleetUnion};
use pktvisor_api::{DirectionRates, Period, Sampling, SketchDocument};

use super::{agent::AgentModel, info::Standing, observation::Observation};
use crate::client::AgentAnswer;

/// Rows kept of a merged list: as many as an agent gives at most.
const ROWS_MAX: usize = 1000;

/// The part of an agent in the union.
#[derive(Clone, Debug, PartialEq)]
pub enum UnionPart {
    /// All numbers.
    Sketches(Arc<SketchDocument>),
    /// Counters alone, of an agent that gives no sketches.
    Counters(Box<Period>),
    /// Nothing: it does not answer.
    Missing,
}

impl UnionPart {
    /// The part of an agent now.
    pub fn of(agent: &AgentModel, now: Duration) -> Self {
        match (agent.standing(now), &agent.sketches, &agent.window) {
            (Standing::Live | Standing::Finished | Standing::Saved, Some(sketches), _) => {
                Self::Sketches(sketches.document.clone())
            }
            (Standing::Live | Standing::Finished | Standing::Saved, None, Some(window)) => {
                Self::Counters(Box::new(counters(window)))
            }
            _ => Self::Missing,
        }
    }
}

/// The counters of a window.
fn counters(window: &Observation) -> Period {
    Period {
        period: window.span,
        packets: window.packets.clone(),
        dns: window.dns.clone(),
        sampling: Sampling { rate: window.sampling_rate, messages: window.analysed_messages },
    }
}

/// How many agents are in which numbers of the union.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnionAgents {
    /// In all numbers.
    pub whole: usize,
    /// In the counters alone, because they give no sketches.
    pub counters_only: usize,
    /// In the counters alone, because their sketches are not valid.
    pub invalid: usize,
    /// In no number, because they do not answer.
    pub missing: usize,
}

/// The merged windows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Union {
    /// The window of the fleet.
    pub merged: FleetUnion,
    /// Its agents.
    pub agents: UnionAgents,
}

impl Union {
    /// Merges the parts of all agents. It takes some milliseconds for each, so the screen leaves it
    /// to another thread.
    pub fn of(parts: &[UnionPart]) -> Self {
        let mut merge = FleetMerge::default();
        let mut agents = UnionAgents::default();
        for part in parts {
            match part {
                UnionPart::Sketches(document) => match merge.add(document) {
                    Ok(()) => agents.whole += 1,
                    Err(_) => {
                        merge.add_counters(&document.period);
                        agents.invalid += 1;
                    }
                },
                UnionPart::Counters(period) => {
                    merge.add_counters(period);
                    agents.counters_only += 1;
                }
                UnionPart::Missing => agents.missing += 1,
            }
        }
        Self { merged: merge.finish(ROWS_MAX), agents }
    }
}

/// The whole fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetModel {
    /// The union, as if one agent had seen all traffic.
    pub agent: AgentModel,
    /// The agents in it.
    pub agents: UnionAgents,
    /// By how much quantiles may differ from the exact ones, as a share.
    pub quantile_error: f64,
}

impl FleetModel {
    /// The fleet before the first union.
    pub fn new() -> Self {
        Self {
            agent: AgentModel::new("the whole fleet"),
            agents: UnionAgents::default(),
            quantile_error: 0.0,
        }
    }

    /// Takes a new union of these agents.
    pub fn update(&mut self, union: Union, parts: &[AgentModel], now: Duration) {
        let FleetUnion { document, .. } = union.merged;
        let errors = document.histograms.values().map(fleet_merge::relative_error);
        self.quantile_error = errors.fold(0.0, f64::max);
        self.agents = union.agents;
        let answer = AgentAnswer {
            ours: true,
            window_name: parts
                .iter()
                .find_map(|agent| Some(agent.window.as_ref()?.name.to_string()))
                .unwrap_or_default(),
            window: document.period,
            rates: rates(parts, now),
            ..AgentAnswer::default()
        };
        self.agent.answer(answer, now);
    }
}

impl Default for FleetModel {
    fn default() -> Self {
        Self::new()
    }
}

/// The last full second of all live agents together; `None` if there are none.
fn rates(agents: &[AgentModel], now: Duration) -> Option<DirectionRates> {
    let live = agents.iter().filter(|agent| agent.standing(now) == Standing::Live);
    live.filter_map(|agent| agent.rates).reduce(|sum, rates| DirectionRates {
        received: sum.received.saturating_add(rates.received),
        sent: sum.sent.saturating_add(rates.sent),
        unknown: sum.unknown.saturating_add(rates.unknown),
        bytes_in: sum.bytes_in.saturating_add(rates.bytes_in),
        bytes_out: sum.bytes_out.saturating_add(rates.bytes_out),
        dns_queries: sum.dns_queries.saturating_add(rates.dns_queries),
        dns_replies: sum.dns_replies.saturating_add(rates.dns_replies),
    })
}
