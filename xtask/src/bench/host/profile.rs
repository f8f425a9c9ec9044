//! Where time goes at full load, by `perf record`: the time of a query in each function, on all
//! processors.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use testbed::Process;

use crate::command;

/// Samples per second on each processor. Not a divisor of what timers do.
const FREQUENCY: &str = "4999";
/// The functions shown.
const SHOWN: usize = 20;

/// Nanoseconds per query, by program and function.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    ns_per_query: BTreeMap<String, f64>,
}

impl Profile {
    /// Records while `load` runs, which lasts so long and returns queries per second.
    pub(super) fn record(load: impl FnOnce() -> Result<f64>, seconds: u32) -> Result<Self> {
        let data = tempfile::NamedTempFile::new().context("cannot create a temporary file")?;
        let mut record = Command::new("perf");
        record.args(["record", "-q", "-a", "-e", "cpu-clock", "-F", FREQUENCY, "-o"]).arg(data.path());
        let mut perf = Process::spawn(record.stdout(Stdio::null()).stderr(Stdio::null()));
        let rate = load();
        perf.signal(libc::SIGINT);
        perf.wait(std::time::Duration::from_secs(30));
        let rate = rate?;
        let mut report = Command::new("perf");
        report.args(["report", "--stdio", "-q", "-g", "none", "--no-children", "-t", "|"]);
        report.args(["-F", "sample,comm,sym", "-i"]).arg(data.path()).stderr(Stdio::null());
        let samples = samples(&command::output(&mut report)?);
        if samples.is_empty() {
            bail!("perf has no samples");
        }
        let frequency: f64 = FREQUENCY.parse()?;
        let ns = |count: f64| count * 1e9 / frequency / (rate * f64::from(seconds));
        let ns_per_query = samples.into_iter().map(|(function, count)| (function, ns(count))).collect();
        Ok(Self { ns_per_query })
    }

    /// The mean of several.
    pub(super) fn mean(profiles: &[&Self]) -> Self {
        let mut ns_per_query = BTreeMap::new();
        for profile in profiles {
            for (function, ns) in &profile.ns_per_query {
                *ns_per_query.entry(function.clone()).or_insert(0.0) += ns / profiles.len() as f64;
            }
        }
        Self { ns_per_query }
    }

    /// The functions that take more time than without a watcher, most first.
    pub(super) fn added_to(&self, unwatched: &Self) -> String {
        let before = |function: &String| unwatched.ns_per_query.get(function).copied().unwrap_or(0.0);
        let mut added: Vec<(f64, &String)> = self
            .ns_per_query
            .iter()
            .filter(|(function, _)| !is_idle(function))
            .map(|(function, ns)| (ns - before(function), function))
            .collect();
        added.sort_by(|left, right| right.0.total_cmp(&left.0));
        added.iter().take(SHOWN).fold(String::new(), |mut text, (ns, function)| {
            let _ = writeln!(text, "{ns:>10.0} ns  {function}");
            text
        })
    }
}

/// A processor that waits is not at work.
fn is_idle(function: &str) -> bool {
    function.starts_with("swapper") && (function.contains("idle") || function.contains("halt"))
}

/// Reads lines like `  123|nsd|[k] __netif_receive_skb_core`. All threads of the agent count as one
/// program.
fn samples(report: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    for line in report.lines() {
        let mut fields = line.splitn(3, '|').map(str::trim);
        if let (Some(Ok(count)), Some(program), Some(function)) =
            (fields.next().map(str::parse::<f64>), fields.next(), fields.next())
        {
            *samples.entry(format!("{program}: {function}")).or_insert(0.0) += count;
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_time_is_the_difference_by_function_without_idle_time() {
        let report = "\n 10|nsd|[k] copy\n 5|nsd|[k] copy\n100|swapper|[k] pv_native_safe_halt\n 7|worker 0|[.] analyse\n";
        let samples = samples(report);
        assert_eq!(samples["nsd: [k] copy"], 15.0);
        let watched = Profile { ns_per_query: samples };
        let unwatched = Profile { ns_per_query: [("nsd: [k] copy".to_owned(), 5.0)].into() };
        let added = watched.added_to(&unwatched);
        let lines: Vec<&str> = added.lines().map(str::trim).collect();
        assert_eq!(lines, ["10 ns  nsd: [k] copy", "7 ns  worker 0: [.] analyse"]);
        let mean = Profile::mean(&[&watched, &unwatched]);
        assert_eq!(mean.ns_per_query["nsd: [k] copy"], 10.0);
    }
}
