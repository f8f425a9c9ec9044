//! `cargo xtask bench crowds`: the cost of a message with ever more distinct names and clients, and in
//! floods. All packets are DNS over UDP, so each is a message.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::replay::{self, Threads};
use crate::measure::{self, Cost};
use crate::workspace;

/// Where the packets come from.
#[derive(Clone, Copy)]
enum CrowdSource {
    /// A capture, read `runs` times.
    File,
    /// The generator, through a pipe: the capture would take gigabytes. Read once.
    Pipe,
}

/// Traffic of which every query has a random name and a random source.
struct CrowdTraffic {
    name: &'static str,
    packets: u64,
    source: CrowdSource,
    options: &'static [&'static str],
}

/// Of each exchange: a query to HOST, and its response.
const RANDOM: &[&str] = &[
    "--dns-share=1",
    "--tcp-share=0",
    "--random-subdomains=1",
    "--random-sources=1",
    "--rate=50000",
    "--names=1000",
    "--clients=1000",
    "--seed=1",
];

const CROWDS: &[CrowdTraffic] = &[
    CrowdTraffic {
        name: "10 thousand names and clients",
        packets: 2_000_000,
        source: CrowdSource::Pipe,
        options: &["--random-pool=10000"],
    },
    CrowdTraffic {
        name: "1 million names and clients",
        packets: 6_000_000,
        source: CrowdSource::Pipe,
        options: &["--random-pool=1000000"],
    },
    CrowdTraffic {
        name: "10 million names and clients",
        packets: 30_000_000,
        source: CrowdSource::Pipe,
        options: &["--random-pool=10000000"],
    },
    CrowdTraffic { name: "flood: all random", packets: 1_000_000, source: CrowdSource::File, options: &[] },
    CrowdTraffic {
        name: "flood: half with 240 octets",
        packets: 1_000_000,
        source: CrowdSource::File,
        options: &["--long-names=0.5"],
    },
];

/// Replays each crowd by one thread, and prints a table.
pub(super) fn run(runs: u32, agent: Option<&Path>) -> Result<()> {
    let agent = super::build(agent)?;
    let directory = super::directory()?;
    let mut rows = Vec::new();
    for crowd in CROWDS {
        let cost = match crowd.source {
            CrowdSource::File => from_file(crowd, runs, &agent, &directory)?,
            CrowdSource::Pipe => from_pipe(crowd, &agent, &directory)?,
        };
        rows.push((crowd.name, crowd.packets, cost));
    }
    println!("\n{}", table(&rows));
    Ok(())
}

impl CrowdTraffic {
    fn options(&self, packets: &str) -> Vec<String> {
        let all = [packets].into_iter().chain(RANDOM.iter().copied()).chain(self.options.iter().copied());
        all.map(str::to_owned).collect()
    }

    fn packets_option(&self) -> String {
        format!("--packets={}", self.packets)
    }
}

/// The run that needs the least CPU time.
fn from_file(crowd: &CrowdTraffic, runs: u32, agent: &Path, directory: &Path) -> Result<Cost> {
    let options = crowd.options(&crowd.packets_option());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let capture = super::generated_capture(directory, "crowd", &options)?;
    let costs = (0..runs).map(|_| replay::replay_once(agent, &capture, directory, Threads::One));
    let costs = costs.collect::<Result<Vec<_>>>()?;
    costs.into_iter().min_by_key(Cost::cpu).context("no runs")
}

fn from_pipe(crowd: &CrowdTraffic, agent: &Path, directory: &Path) -> Result<Cost> {
    let mut generate = Command::new(workspace::release_binary("pcap-replay")?);
    generate.arg("generate").args(crowd.options(&crowd.packets_option()));
    generate.args(["--output", "/dev/stdout"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut generator = generate.spawn().context("cannot start the generator")?;
    let packets = generator.stdout.take().context("the generator has no output")?;
    let mut summary = replay::summary(agent, Threads::One, directory)?;
    let cost = measure::cost_of(summary.arg("-").stdin(packets));
    // It has ended with its output, or with the agent that reads it.
    generator.wait().context("cannot wait for the generator")?;
    cost
}

fn table(rows: &[(&str, u64, Cost)]) -> String {
    let mut text = format!(
        "one thread, every packet is a message\n\n{:32}{:>12}{:>16}{:>12}{:>16}\n",
        "", "packets", "packets/CPU s", "ns/message", "anonymous MiB"
    );
    for (name, packets, cost) in rows {
        let rate = replay::rate(*packets, cost);
        let memory_mib = cost.anonymous_peak_bytes as f64 / f64::from(1 << 20);
        let _ = writeln!(text, "{name:32}{packets:>12}{rate:>16.0}{:>12.0}{memory_mib:>16.1}", 1e9 / rate);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_table_has_the_time_of_a_message() {
        let user = Duration::from_secs(1);
        let cost = Cost { wall: user, user, system: Duration::ZERO, anonymous_peak_bytes: 1 << 20 };
        let text = table(&[("crowd", 4_000_000, cost)]);
        let row: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(row, ["crowd", "4000000", "4000000", "250", "1.0"]);
    }
}
