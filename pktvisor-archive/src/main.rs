//! `pktvisor-archive`: work on the archives of agents.

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use pktvisor_archive::{ArchiveLocation, ArchiveStore, LocationError, RollUpReport, RollUpUnit, roll_up};
use terminal_text::Escaped;

const EXAMPLES: &str = "\
Examples:
  pktvisor-archive roll-up /var/lib/pktvisor/archive --by hour
  pktvisor-archive roll-up s3://bucket/dns --by day      keys and endpoint from AWS_*
  pktvisor-archive roll-up gs://bucket/dns --by day      from GOOGLE_*
  pktvisor-archive roll-up az://container/dns --by day   from AZURE_*
  pktvisor-archive roll-up https://host/dns --by day     WebDAV: from WEBDAV_*

Exit status: 0 done, 1 failure or files that cannot be read, 2 wrong usage.";

/// Works on the archives that `pktvisord --archive` writes.
#[derive(Debug, Parser)]
#[command(name = "pktvisor-archive", version, after_help = EXAMPLES, max_term_width = 100)]
struct ArchiveArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Merge the files of each hour or day that has ended into one, for each agent.
    ///
    /// Nothing is lost but time resolution: counters and histograms add up, distinct counts are those
    /// of the union, and the bounds of top lists hold. It can be killed and repeated at any time: no
    /// period is lost or counted twice. Run one at a time for each archive in an object store.
    RollUp {
        /// A directory or the URL of an object store, as for pktvisord --archive.
        #[arg(value_name = "ARCHIVE")]
        archive: String,
        /// The span of the merged files; days are in UTC.
        #[arg(long, value_name = "SPAN")]
        by: UnitArgument,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum UnitArgument {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

fn main() -> ExitCode {
    if let Some(code) = command_docs::answer(ArchiveArguments::command) {
        return code;
    }
    let Command::RollUp { archive, by } = ArchiveArguments::parse().command;
    // Not a value parser of clap, which would print the URL again, with a password that may be in it.
    let archive = archive.parse().unwrap_or_else(|error: LocationError| {
        let message = format!("invalid value for '<ARCHIVE>': {error}");
        ArchiveArguments::command().error(ErrorKind::ValueValidation, message).exit()
    });
    match run(&archive, by) {
        Ok(report) => show(&report),
        Err(error) => {
            eprintln!("pktvisor-archive: {}", Escaped(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(archive: &ArchiveLocation, by: UnitArgument) -> anyhow::Result<RollUpReport> {
    if let ArchiveLocation::Directory(path) = archive
        && !path.is_dir()
    {
        anyhow::bail!("{} is not a directory", path.display());
    }
    let unit = match by {
        UnitArgument::Hour => RollUpUnit::Hour,
        UnitArgument::Day => RollUpUnit::Day,
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let store = ArchiveStore::open(archive).with_context(|| format!("cannot use the archive {archive}"))?;
    // A broken file is reported in a sentence of its own, even if the Parquet library panics on it.
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let now_s = now.as_secs().cast_signed();
    runtime.block_on(roll_up(&store, unit, now_s)).with_context(|| format!("cannot roll up {archive}"))
}

fn show(report: &RollUpReport) -> ExitCode {
    let RollUpReport { written, merged, left_over, skipped } = report;
    for file in skipped {
        eprintln!("pktvisor-archive: left {}: {}", Escaped(&file.key), Escaped(&file.reason));
    }
    println!("{merged} files merged into {written}, {left_over} deleted that were merged before");
    if skipped.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
