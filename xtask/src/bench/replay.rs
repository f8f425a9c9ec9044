//! `cargo xtask bench replay`: the cost of a packet of a capture file, measured from outside on the
//! release build (or another).

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::measure::{self, Cost};
use crate::workspace;

/// Packets that are replayed.
pub(super) const PACKETS: u64 = 1_000_000;
/// The traffic of a busy resolver. The same values give the same capture, byte for byte.
const SCENARIO: &[&str] = &[
    "--packets=1000000",
    "--names=100000",
    "--clients=50000",
    "--dns-share=0.65",
    "--tcp-share=0.1",
    "--seed=1",
];

/// Replays the same capture `runs` times by one thread and by two, in turn, and prints the cheapest
/// run and the median.
pub(super) fn run(runs: u32, agent: Option<&Path>) -> Result<()> {
    let agent = super::build(agent)?;
    let directory = super::directory()?;
    let capture = generated_capture(&directory)?;
    // The first run brings the file into the page cache; it is not counted.
    replay_once(&agent, &capture, &directory, Threads::One)?;
    let (mut costs, mut divided) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        costs.push(replay_once(&agent, &capture, &directory, Threads::One)?);
        divided.push(replay_once(&agent, &capture, &directory, Threads::Two)?);
    }
    println!("\n{}", table(PACKETS, &costs));
    println!("{}", speed_up(&costs, &divided));
    let results = directory.join("replay.json");
    fs::write(&results, json(PACKETS, &costs, &divided)?)
        .with_context(|| format!("cannot write {}", results.display()))?;
    println!("results: {}", workspace::shown(&results));
    Ok(())
}

/// The generated capture, kept for the next time.
pub(super) fn generated_capture(directory: &Path) -> Result<PathBuf> {
    super::generated_capture(directory, "replay", SCENARIO)
}

/// How many threads replay.
#[derive(Clone, Copy)]
pub(super) enum Threads {
    One,
    Two,
}

impl Threads {
    /// As the agent's option `--threads` takes it.
    pub(super) fn option(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }
}

/// The agent with the options of this benchmark, and a log for its messages.
pub(super) fn summary(agent: &Path, threads: Threads, directory: &Path) -> Result<Command> {
    let log = directory.join("replay.stderr");
    let errors = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut summary = Command::new(agent);
    summary.args(["--summary", "--threads", threads.option(), "-H", workspace::GENERATED_HOST]);
    summary.stdout(Stdio::null()).stderr(errors);
    Ok(summary)
}

pub(super) fn replay_once(agent: &Path, capture: &Path, directory: &Path, threads: Threads) -> Result<Cost> {
    let mut summary = summary(agent, threads, directory)?;
    let log = directory.join("replay.stderr");
    measure::cost_of(summary.arg(capture))
        .with_context(|| format!("the reason is in {}", workspace::shown(&log)))
}

/// The cheapest and the median time from start to end, by one thread and by two.
fn speed_up(one: &[Cost], two: &[Cost]) -> String {
    let sorted = |costs: &[Cost]| {
        let mut wall: Vec<f64> = costs.iter().map(|cost| cost.wall.as_secs_f64()).collect();
        wall.sort_by(f64::total_cmp);
        wall
    };
    let (one, two) = (sorted(one), sorted(two));
    let mut text = "two threads\n\n        wall s of one    wall s of two    times as fast\n".to_owned();
    for (name, at) in [("best", 0), ("median", one.len() / 2)] {
        let (Some(one), Some(two)) = (one.get(at), two.get(at)) else { continue };
        let _ = writeln!(text, "{name:8}{one:>13.3}{two:>17.3}{:>17.2}", one / two.max(f64::MIN_POSITIVE));
    }
    text
}

/// Packets per second of CPU time.
pub(super) fn rate(packets: u64, cost: &Cost) -> f64 {
    packets as f64 / cost.cpu().as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The runs from the cheapest to the most expensive.
fn by_cpu(costs: &[Cost]) -> Vec<Cost> {
    let mut sorted = costs.to_vec();
    sorted.sort_by_key(Cost::cpu);
    sorted
}

fn table(packets: u64, costs: &[Cost]) -> String {
    let sorted = by_cpu(costs);
    let mut text = format!(
        "replay of {packets} packets, {} runs\n\n{:8}{:>18}{:>12}{:>10}{:>10}{:>10}{:>16}\n",
        costs.len(),
        "",
        "packets/CPU s",
        "ns/packet",
        "user s",
        "system s",
        "wall s",
        "anonymous MiB"
    );
    for (name, cost) in [("best", sorted.first()), ("median", sorted.get(sorted.len() / 2))] {
        let Some(cost) = cost else { continue };
        let rate = rate(packets, cost);
        let _ = writeln!(
            text,
            "{name:8}{rate:>18.0}{:>12.0}{:>10.3}{:>10.3}{:>10.3}{:>16.1}",
            1e9 / rate,
            cost.user.as_secs_f64(),
            cost.system.as_secs_f64(),
            cost.wall.as_secs_f64(),
            cost.anonymous_peak_bytes as f64 / f64::from(1 << 20),
        );
    }
    text
}

/// The results as a document.
#[derive(Serialize)]
struct ReplayResults {
    benchmark: &'static str,
    packets: u64,
    runs: Vec<RunResult>,
    two_threads: Vec<RunResult>,
}

/// One [`Cost`] in plain numbers.
#[derive(Serialize)]
struct RunResult {
    user_us: u128,
    system_us: u128,
    wall_us: u128,
    anonymous_peak_bytes: u64,
}

impl From<&Cost> for RunResult {
    fn from(cost: &Cost) -> Self {
        Self {
            user_us: cost.user.as_micros(),
            system_us: cost.system.as_micros(),
            wall_us: cost.wall.as_micros(),
            anonymous_peak_bytes: cost.anonymous_peak_bytes,
        }
    }
}

/// One JSON object with every run in order.
fn json(packets: u64, costs: &[Cost], divided: &[Cost]) -> serde_json::Result<String> {
    let results = |costs: &[Cost]| costs.iter().map(RunResult::from).collect();
    let (runs, two_threads) = (results(costs), results(divided));
    Ok(serde_json::to_string(&ReplayResults { benchmark: "replay", packets, runs, two_threads })? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn cost(cpu_ms: u64) -> Cost {
        let user = Duration::from_millis(cpu_ms);
        Cost { wall: user, user, system: Duration::ZERO, anonymous_peak_bytes: 1 << 20 }
    }

    #[test]
    fn the_table_shows_the_cheapest_and_the_median_run() {
        let text = table(1000, &[cost(3), cost(1), cost(2)]);
        let figure = |row: &str| text.lines().find(|line| line.starts_with(row))?.split_whitespace().nth(1);
        assert_eq!(figure("best"), Some("1000000"));
        assert_eq!(figure("median"), Some("500000"));
    }

    #[test]
    fn the_speed_up_compares_medians_with_medians() {
        let text = speed_up(&[cost(400), cost(200), cost(300)], &[cost(150), cost(100), cost(200)]);
        let last = |row: &str| text.lines().find(|line| line.starts_with(row))?.split_whitespace().last();
        assert_eq!((last("best"), last("median")), (Some("2.00"), Some("2.00")));
    }

    #[test]
    fn results_keep_every_run_in_order() {
        let text = json(7, &[cost(3), cost(1)], &[cost(2)]).unwrap();
        let results: serde_json::Value = serde_json::from_str(&text).unwrap();
        let user_us = [0, 1].map(|index| results["runs"][index]["user_us"].as_u64());
        assert_eq!((user_us, results["packets"].as_u64()), ([Some(3000), Some(1000)], Some(7)));
    }
}
