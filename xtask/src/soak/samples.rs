//! Memory, descriptors and threads of the agent over time, and its ledger.

use std::fmt;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The process at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProcessSample {
    pub(super) at: Duration,
    /// Resident memory.
    pub(super) resident_kb: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
}

impl ProcessSample {
    pub(super) fn take(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/status");
        let status =
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}: the agent has ended"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).context("cannot count descriptors")?;
        Ok(Self {
            at: Duration::ZERO,
            resident_kb: number("VmRSS"),
            descriptors: descriptors.count() as u64,
            threads: number("Threads"),
        })
    }
}

impl fmt::Display for ProcessSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident_kb, descriptors, threads, .. } = self;
        write!(f, "{resident_kb} kB resident, {descriptors} descriptors, {threads} threads")
    }
}

/// All samples of a run.
pub(super) struct Sampler {
    process: u32,
    pub(super) warm_up: Duration,
    samples: Vec<ProcessSample>,
    /// How often the ledger was read.
    pub(super) ledgers: u64,
    /// The last ledger.
    pub(super) ledger: Value,
}

impl Sampler {
    pub(super) fn new(process: u32, warm_up: Duration) -> Self {
        Self { process, warm_up, samples: Vec::new(), ledgers: 0, ledger: Value::Null }
    }

    pub(super) fn sample(&mut self, at: Duration) -> Result<()> {
        self.samples.push(ProcessSample { at, ..ProcessSample::take(self.process)? });
        Ok(())
    }

    pub(super) fn last(&self) -> ProcessSample {
        self.samples.last().copied().unwrap_or_default()
    }

    /// Every packet that was seen went somewhere, and no number goes back.
    pub(super) fn check_ledger(&mut self, app: &Value) -> Result<()> {
        let ledger = &app["app"]["ledger"];
        let term = |name: &str| ledger[name].as_u64().unwrap_or(0);
        let is_closed = term("seen") == term("filtered") + term("counted")
            && term("dns_packets") == term("not_chosen") + term("delivered") + term("lost") + term("pending")
            && term("delivered") == term("analysed") + term("malformed") + term("without_message");
        ensure!(is_closed, "the ledger does not balance: {ledger}");
        let before = self.ledger["seen"].as_u64().unwrap_or(0);
        ensure!(term("seen") >= before, "fewer packets than before: {before}, then {ledger}");
        self.ledger = ledger.clone();
        self.ledgers += 1;
        Ok(())
    }

    /// The samples after the warm-up.
    fn warm(&self) -> impl Iterator<Item = &ProcessSample> {
        self.samples.iter().filter(|sample| sample.at >= self.warm_up)
    }

    /// The slope of resident memory after the warm-up, by least squares, in kB a minute.
    pub(super) fn slope_kb_per_minute(&self) -> f64 {
        let points = || self.warm().map(|sample| (sample.at.as_secs_f64() / 60.0, sample.resident_kb as f64));
        let count = points().count() as f64;
        if count < 2.0 {
            return 0.0;
        }
        let (sum_x, sum_y) = points().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let covariance: f64 = points().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let variance: f64 = points().map(|(x, _)| (x - mean_x).powi(2)).sum();
        covariance / variance
    }

    /// By then every thread has been needed.
    pub(super) fn most_threads_in_warm_up(&self) -> u64 {
        let early = self.samples.iter().filter(|sample| sample.at < self.warm_up);
        early.map(|sample| sample.threads).max().unwrap_or(0)
    }

    /// Least and most after the warm-up.
    pub(super) fn range(&self, of: impl Fn(&ProcessSample) -> u64) -> (u64, u64) {
        let values = || self.warm().map(&of);
        (values().min().unwrap_or(0), values().max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_samples_after_the_warm_up() {
        let mut sampler = Sampler::new(0, Duration::from_secs(60));
        for second in 0..300 {
            let resident_kb = if second < 60 { 0 } else { 1000 + second / 6 };
            let at = Duration::from_secs(second);
            sampler.samples.push(ProcessSample { at, resident_kb, ..ProcessSample::default() });
        }
        let slope = sampler.slope_kb_per_minute();
        assert!((slope - 10.0).abs() < 0.1, "{slope}");
    }

    #[test]
    fn a_ledger_that_does_not_balance_is_an_error() {
        let mut sampler = Sampler::new(0, Duration::ZERO);
        let app =
            |seen: u64| serde_json::json!({"app": {"ledger": {"seen": seen, "filtered": 1, "counted": 4}}});
        assert!(sampler.check_ledger(&app(5)).is_ok());
        assert!(sampler.check_ledger(&app(6)).is_err());
    }
}
