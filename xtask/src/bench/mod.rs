//! `cargo xtask bench`: what a packet costs. One file a benchmark.

mod kernel;
mod live;
mod replay;

use anyhow::Result;
use clap::ValueEnum;

use crate::command;

#[derive(Clone, Copy, ValueEnum)]
enum Benchmark {
    /// A capture file through the whole agent, then the criterion benchmarks of its pieces
    Replay,
    /// The kernel programs on a packet, again and again
    Kernel,
    /// The agent on a live interface, at rising rates
    Live,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure
    #[arg(value_enum, default_value = "replay")]
    benchmark: Benchmark,
    /// How often to run it (replay)
    #[arg(long, default_value = "25", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// Leave out the breakdown by criterion (replay)
    #[arg(long)]
    no_breakdown: bool,
}

/// The subcommand.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match arguments.benchmark {
        Benchmark::Replay => {
            replay::run(arguments.runs)?;
            if arguments.no_breakdown {
                return Ok(());
            }
            command::run(&mut command::cargo(["bench", "-p", "pktvisor-agent", "--bench", "replay"]))
        }
        Benchmark::Kernel => kernel::run(),
        Benchmark::Live => live::run(),
    }
}
