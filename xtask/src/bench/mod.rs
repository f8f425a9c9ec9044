//! `cargo xtask bench`: the cost of a packet, and of a scrape. One file for each benchmark.

mod crowds;
mod export;
mod host;
mod kernel;
mod live;
mod peers;
mod replay;
mod watcher;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{command, workspace};

#[derive(Clone, Copy, ValueEnum)]
enum Benchmark {
    /// A capture file through the whole agent, then the criterion benchmarks of its parts
    Replay,
    /// Captures with ever more distinct names and clients, and floods
    Crowds,
    /// The same capture through the programs that one would use instead
    Peers,
    /// The kernel programs on one packet, repeated many times
    Kernel,
    /// The agent on a live interface, at rising rates
    Live,
    /// What watching takes from a name server on the same host
    Host,
    /// Scrapes of an agent whose lists and histograms are full
    Export,
}

#[derive(clap::Args)]
pub(crate) struct BenchArguments {
    /// Benchmark to run
    #[arg(value_enum, default_value = "replay")]
    benchmark: Benchmark,
    /// Number of runs (replay, crowds)
    #[arg(long, default_value = "25", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Leave out the breakdown by criterion (replay)
    #[arg(long)]
    no_breakdown: bool,
    /// Measure this agent instead of the release build, and leave out the breakdown (all but kernel)
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
    /// Send this many packets a second instead of the rising rates (live); several with commas
    #[arg(long, value_name = "RATES", value_delimiter = ',')]
    rates: Vec<u64>,
    #[command(flatten)]
    host: host::HostBenchArguments,
}

/// The subcommand.
pub(crate) fn run(arguments: &BenchArguments) -> Result<()> {
    match arguments.benchmark {
        Benchmark::Replay => {
            replay::run(arguments.runs, arguments.agent.as_deref())?;
            // The parts are built from the checkout, which may differ from the source of a given
            // agent.
            if arguments.no_breakdown || arguments.agent.is_some() {
                return Ok(());
            }
            command::run(&mut command::cargo(["bench", "-p", "pktvisor-agent", "--bench", "replay"]))
        }
        Benchmark::Crowds => crowds::run(arguments.runs, arguments.agent.as_deref()),
        Benchmark::Peers => peers::run(arguments.agent.as_deref()),
        Benchmark::Kernel => kernel::run(),
        Benchmark::Export => export::run(arguments.agent.as_deref()),
        Benchmark::Host => host::run(arguments.agent.as_deref(), &arguments.host),
        Benchmark::Live => live::run(arguments.agent.as_deref(), &arguments.rates),
    }
}

/// Builds the generator and sender of packets, and the agent if none is `given`. Returns the agent
/// to measure.
fn build(given: Option<&Path>) -> Result<PathBuf> {
    command::run(&mut command::cargo(["build", "--release", "-p", "pcap-replay"]))?;
    build_agent(given)
}

/// Builds the agent if none is `given`. Returns the agent to measure.
fn build_agent(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(agent) = given {
        return agent.canonicalize().with_context(|| format!("there is no agent {}", agent.display()));
    }
    command::run(&mut command::cargo(["build", "--release", "-p", "pktvisor-agent"]))?;
    workspace::release_binary("pktvisord")
}

/// The directory of captures and results.
fn directory() -> Result<PathBuf> {
    let directory = workspace::target()?.join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    Ok(directory)
}

/// A capture of generated traffic, kept for the next time under a name with its options.
fn generated_capture(directory: &Path, name: &str, options: &[&str]) -> Result<PathBuf> {
    let values: String =
        options.iter().filter_map(|option| option.split_once('=')).map(|(_, v)| format!("-{v}")).collect();
    let capture = directory.join(format!("{name}{values}.pcap"));
    if !capture.exists() {
        let unfinished = directory.join("unfinished.pcap");
        let mut generate = Command::new(workspace::release_binary("pcap-replay")?);
        command::run(generate.arg("generate").args(options).arg("--output").arg(&unfinished))?;
        fs::rename(&unfinished, &capture).with_context(|| format!("cannot name {}", capture.display()))?;
    }
    Ok(capture)
}
