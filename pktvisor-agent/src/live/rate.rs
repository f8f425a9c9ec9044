//! Lowers the share of flows that is analysed under overload, and raises it again afterwards.
//!
//! Counters stay exact at any rate, and a sampled flow is analysed whole, query and response.
//! Without this, a full ring would lose messages at random, and with each message the other half of
//! its transaction.

use std::time::{Duration, Instant};

use nix::time::ClockId;
use pktvisor_common::sampling::SampleRate;

use super::coordination::Coordination;
use super::program_config::ProgramConfig;
use crate::agent::Agent;

/// Ring buffers that stay fuller than this for a second are too full.
const RING_HIGH: f64 = 0.5;
/// Below this, more can be analysed.
const RING_LOW: f64 = 0.1;
/// Smallest share that is analysed, from 0 to 1, so that some flows are always analysed.
const RATE_MIN: f64 = 0.001;

/// Adjusts the rate once a second.
#[derive(Debug)]
pub(super) struct RateControl {
    configuration: ProgramConfig,
    /// The share that the user allows, from 0 to 1.
    ceiling: f64,
    /// The share of one processor that the agent may use; `None` is no limit.
    cpu_budget: Option<f64>,
    rate: f64,
    cpu: CpuMeter,
}

impl RateControl {
    /// Begins at the ceiling.
    pub(super) fn new(configuration: ProgramConfig, ceiling_pct: u8, cpu_budget_pct: Option<u32>) -> Self {
        let ceiling = f64::from(ceiling_pct) / 100.0;
        let cpu_budget = cpu_budget_pct.map(|percent| f64::from(percent) / 100.0);
        Self { configuration, ceiling, cpu_budget, rate: ceiling, cpu: CpuMeter::new() }
    }

    /// Changes the rate if the last second requires it.
    pub(super) fn adjust(&mut self, agent: &Agent, coordination: &Coordination) {
        let ring_fill = coordination.take_ring_fill_low().unwrap_or(0.0);
        let load = self.cpu_budget.map(|budget| self.cpu.share_since_last() / budget);
        let rate = next_rate(self.rate, self.ceiling, load, ring_fill);
        if rate == self.rate {
            return;
        }
        let share = SampleRate::fraction(rate);
        self.configuration.set_sample_rate(share);
        coordination.set_rate(share);
        log_change(self.rate, rate, self.ceiling);
        self.rate = rate;
        agent.status.set_deep_sample_rate_now(rate * 100.0);
    }
}

/// Logs when an overload begins and when it is over.
fn log_change(before: f64, rate: f64, ceiling: f64) {
    if before == ceiling {
        tracing::warn!("overload: analysing {:.1} % of DNS flows until there is room again", rate * 100.0);
    } else if rate == ceiling {
        tracing::info!("overload is over: analysing {:.0} % of DNS flows again", rate * 100.0);
    }
}

/// The share to analyse next. `load` is the processor time used, divided by the budget; `ring_fill`
/// the minimum fill of the fullest ring.
fn next_rate(rate: f64, ceiling: f64, load: Option<f64>, ring_fill: f64) -> f64 {
    let floor = RATE_MIN.min(ceiling);
    let overload = load.unwrap_or(0.0).max(if ring_fill > RING_HIGH { 1.5 } else { 0.0 });
    if overload > 1.0 {
        // Proportional to the overload, and 5 % less, because not all processor time goes into
        // analysis.
        (rate / overload * 0.95).clamp(floor, rate)
    } else if rate < ceiling && overload < 0.8 && ring_fill < RING_LOW {
        (rate * 1.1 + 0.001).min(ceiling)
    } else {
        rate
    }
}

/// Measures the processor time of the whole agent.
#[derive(Debug)]
struct CpuMeter {
    since: Instant,
    /// Processor time used before.
    cpu: Duration,
}

impl CpuMeter {
    fn new() -> Self {
        // This clock always exists. If it did not, the budget would never be exceeded.
        let cpu = ClockId::CLOCK_PROCESS_CPUTIME_ID.now().map(Duration::from).unwrap_or_default();
        Self { since: Instant::now(), cpu }
    }

    /// The share of one processor used since the last call.
    fn share_since_last(&mut self) -> f64 {
        let before = std::mem::replace(self, Self::new());
        let wall = self.since.duration_since(before.since).as_secs_f64().max(f64::EPSILON);
        self.cpu.saturating_sub(before.cpu).as_secs_f64() / wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_its_budget_and_with_room_in_the_rings_the_rate_stays_at_the_ceiling() {
        assert_eq!(next_rate(1.0, 1.0, None, 0.0), 1.0);
        assert_eq!(next_rate(0.3, 0.3, Some(0.99), 0.4), 0.3);
        assert_eq!(next_rate(0.0, 0.0, Some(5.0), 0.9), 0.0);
    }

    #[test]
    fn a_busy_processor_or_full_rings_lower_the_rate_but_never_to_nothing() {
        assert!(next_rate(1.0, 1.0, Some(2.0), 0.0) < 0.5);
        assert!(next_rate(1.0, 1.0, None, 0.6) < 0.7);
        let mut rate = 1.0;
        for _ in 0..1000 {
            rate = next_rate(rate, 1.0, Some(10.0), 1.0);
        }
        assert_eq!(rate, RATE_MIN);
    }

    #[test]
    fn when_there_is_room_again_the_rate_comes_back_to_the_ceiling_within_two_minutes() {
        let mut rate = RATE_MIN;
        for _ in 0..120 {
            rate = next_rate(rate, 0.5, Some(0.1), 0.0);
        }
        assert_eq!(rate, 0.5);
    }

    #[test]
    fn between_enough_and_too_much_nothing_changes() {
        assert_eq!(next_rate(0.4, 1.0, Some(0.9), 0.0), 0.4);
        assert_eq!(next_rate(0.4, 1.0, None, 0.3), 0.4);
    }
}
