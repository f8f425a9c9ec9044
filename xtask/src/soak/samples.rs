//! Memory, descriptors and threads of the agent over time, and its ledger.

use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Longest time between two samples.
const GAP_MAX: Duration = Duration::from_secs(30);

/// How often a process at rest is looked at, and how long apart.
const LOOKS: u32 = 20;
const LOOK_GAP: Duration = Duration::from_millis(130);

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

    /// The process at rest, with the fewest descriptors of several moments: it opens files of /proc for
    /// a moment to read its own cost.
    pub(super) fn at_rest(process: u32) -> Result<Self> {
        let mut least = Self::take(process)?;
        for _ in 1..LOOKS {
            thread::sleep(LOOK_GAP);
            let sample = Self::take(process)?;
            if sample.descriptors <= least.descriptors {
                least = sample;
            }
        }
        Ok(least)
    }
}

impl fmt::Display for ProcessSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident_kb, descriptors, threads, .. } = self;
        write!(f, "{resident_kb} kB resident, {descriptors} descriptors, {threads} threads")
    }
}

/// How fast memory grows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MemorySlope {
    pub(super) kb_per_minute: f64,
    /// The standard error of the slope: growth that is not much larger may be chance.
    error_kb: f64,
}

impl MemorySlope {
    /// Of the line through these points, by least squares: minutes, and kB.
    fn of(points: &[(f64, f64)]) -> Self {
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
        let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let slope = covariance / variance;
        let residues: f64 = points.iter().map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum();
        Self { kb_per_minute: slope, error_kb: (residues / (count - 2.0) / variance).sqrt() }
    }
}

impl fmt::Display for MemorySlope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.1} kB/min, standard error {:.1}", self.kb_per_minute, self.error_kb)
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

    /// Takes a sample, which must not be long after the one before: while the machine stands still,
    /// periods stay empty, and memory says nothing.
    pub(super) fn sample(&mut self, at: Duration) -> Result<()> {
        let gap = at.saturating_sub(self.last().at);
        ensure!(gap <= GAP_MAX, "there was no sample for {} s: the machine was too busy", gap.as_secs());
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

    /// The slope of resident memory after the warm-up, of the means of its minutes. Of a shorter
    /// time it is that of the samples.
    pub(super) fn slope(&self) -> MemorySlope {
        const LEAST: usize = 3;
        let minutes = self.minute_means();
        let samples =
            || self.warm().map(|sample| (sample.at.as_secs_f64() / 60.0, sample.resident_kb as f64));
        match minutes.len() {
            LEAST.. => MemorySlope::of(&minutes),
            _ if samples().count() >= LEAST => MemorySlope::of(&samples().collect::<Vec<_>>()),
            _ => MemorySlope::default(),
        }
    }

    /// The minutes after the warm-up, and the mean of resident memory in each, in kB.
    fn minute_means(&self) -> Vec<(f64, f64)> {
        let warm: Vec<_> = self.warm().collect();
        let minutes = warm.chunk_by(|a, b| a.at.as_secs() / 60 == b.at.as_secs() / 60);
        let mean = |minute: &[&ProcessSample]| {
            let kb: u64 = minute.iter().map(|sample| sample.resident_kb).sum();
            ((minute[0].at.as_secs() / 60) as f64, kb as f64 / minute.len() as f64)
        };
        minutes.map(mean).collect()
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

    /// A run of ten minutes whose first one is the warm-up, with this resident memory.
    fn run(resident_kb: impl Fn(u64) -> u64) -> Sampler {
        let mut sampler = Sampler::new(0, Duration::from_secs(60));
        sampler.samples = (0..600)
            .map(|second| ProcessSample {
                at: Duration::from_secs(second),
                resident_kb: resident_kb(second),
                ..ProcessSample::default()
            })
            .collect();
        sampler
    }

    #[test]
    fn the_slope_is_that_of_the_samples_after_the_warm_up() {
        let slope = run(|second| if second < 60 { 0 } else { 1000 + second / 6 }).slope();
        assert!((slope.kb_per_minute - 10.0).abs() < 0.1, "{slope}");
        assert!(slope.error_kb < 0.1, "{slope}");
    }

    #[test]
    fn memory_that_goes_up_and_down_has_a_slope_within_its_error() {
        let slope = run(|second| 1000 + [0, 500, 100, 700][second as usize / 60 % 4]).slope();
        assert!(slope.kb_per_minute.abs() < 2.0 * slope.error_kb, "{slope}");
    }

    #[test]
    fn two_minutes_have_a_slope_too() {
        let mut sampler = run(|second| second);
        sampler.samples.truncate(120);
        assert!((sampler.slope().kb_per_minute - 60.0).abs() < 0.1, "{}", sampler.slope());
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
