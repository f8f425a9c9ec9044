//! `pcap-replay`: makes captures, and what the right summary of them is.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use pcap_replay::generate::{Config, ConfigError, Generator};
use pcap_replay::write::PcapWriter;

/// Makes packet captures
#[derive(Parser, Debug)]
#[command(name = "pcap-replay", version, infer_long_args = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Write a capture of made-up DNS traffic; the same options always give the same file
    Generate(Generate),
}

#[derive(Args, Debug)]
struct Generate {
    /// Capture file to write (pcap, nanoseconds, Ethernet)
    #[arg(long, short, value_name = "FILE.pcap")]
    output: PathBuf,
    /// Also write what the right summary of the capture is
    #[arg(long, value_name = "FILE.json")]
    answer: Option<PathBuf>,
    /// Entries of each list in the answer
    #[arg(long, value_name = "N", default_value_t = 50)]
    answer_entries: usize,
    #[command(flatten)]
    config: Config,
}

const ETHERNET: u16 = 1;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Generate(options) => generate(options),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("pcap-replay: {error:#}");
    // As clap does for options that it checks itself.
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}

fn generate(options: Generate) -> anyhow::Result<()> {
    let collect_answer = options.answer.is_some();
    let mut generator = Generator::new(Config { collect_answer, ..options.config })?;
    let mut capture = PcapWriter::new(create(&options.output)?, ETHERNET)?;
    let place = || format!("cannot write {}", options.output.display());
    while let Some(packet) = generator.next_packet() {
        let wire_len = packet.data.len() as u32;
        capture.write(packet.timestamp_ns, wire_len, packet.data).with_context(place)?;
    }
    capture.finish().with_context(place)?;
    if let (Some(path), Some(mut answer)) = (options.answer, generator.into_answer()) {
        answer.show_entries(options.answer_entries);
        let mut file = create(&path)?;
        let place = || format!("cannot write {}", path.display());
        serde_json::to_writer(&mut file, &answer).with_context(place)?;
        file.write_all(b"\n").and_then(|()| file.flush()).with_context(place)?;
    }
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(BufWriter::new(file))
}
