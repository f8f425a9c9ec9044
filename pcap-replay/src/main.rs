//! `pcap-replay`: sends captures onto an interface, and generates captures with a known summary.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use capture_file::Pace;
use capture_file::write::PcapWriter;
use clap::{Args, CommandFactory, Parser, Subcommand};
use dns_traffic::{Config, ConfigError, Generator};
use pcap_replay::send::{PacketRate, SendOptions, Tempo, Via, send};
use terminal_text::{Escaped, EscapedLines, has_control};

/// Sends packet captures, and generates them
#[derive(Parser, Debug)]
#[command(name = "pcap-replay", version, infer_long_args = true, args_conflicts_with_subcommands = true)]
#[command(arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    replay: Option<ReplayArguments>,
}

#[derive(Subcommand, Debug)]
enum Subcommands {
    /// Write a capture of made-up DNS traffic; the same options always give the same file
    Generate(GenerateArguments),
}

/// Sends real packets with the addresses they were captured with
#[derive(Args, Debug)]
struct ReplayArguments {
    /// Interface to send on. The packets leave as they were captured, addresses and all: use a
    /// mirror port, a veth pair or a network of your own
    #[arg(long, short, value_name = "IF")]
    interface: String,
    /// Packets per second, like 500, 100k or 1M
    #[arg(long, value_name = "N", conflicts_with = "pace")]
    pps: Option<PacketRate>,
    /// Speed of the capture's own clock: realtime, a multiple like 10x, or max
    #[arg(long, value_name = "SPEED", default_value = "max")]
    pace: Pace,
    /// Number of times to send the capture; 0 repeats it until interrupted
    #[arg(long = "loop", value_name = "N", default_value_t = 1)]
    rounds: u64,
    /// Spread flows over this number of transmit queues, each with its own thread if there are
    /// enough processors; needs AF_XDP
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    queues: u32,
    /// Kind of socket, af-xdp or af-packet [default: af-xdp if it works, otherwise af-packet]
    #[arg(long, value_name = "SOCKET")]
    via: Option<Via>,
    /// Capture to send (pcap or pcapng, also compressed); - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args, Debug)]
struct GenerateArguments {
    /// Capture file to write (pcap, nanoseconds, Ethernet)
    #[arg(long, short, value_name = "FILE.pcap")]
    output: PathBuf,
    /// Also write the exact summary of the capture
    #[arg(long, value_name = "FILE.json")]
    answer: Option<PathBuf>,
    /// Number of entries in each list of that summary
    #[arg(long, value_name = "N", default_value_t = 50)]
    answer_entries: usize,
    #[command(flatten)]
    config: Config,
}

const ETHERNET: u16 = 1;

fn main() -> ExitCode {
    if let Some(code) = command_docs::answer(Cli::command) {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let done = match (cli.command, cli.replay) {
        (Some(Subcommands::Generate(options)), _) => generate(options),
        (None, Some(options)) => replay(options),
        // Clap has shown the help, because there were no arguments.
        (None, None) => Ok(()),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("pcap-replay: {}", EscapedLines(format_args!("{error:#}")));
    // As clap does for options that it checks itself.
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}

/// Shows the help, or the error in the command line with its control characters escaped.
fn refuse(error: &clap::Error) -> ExitCode {
    // Without colours if the arguments contain control characters, because escaping would escape
    // the colours too.
    if arguments_have_controls() {
        eprint!("{}", EscapedLines(error));
    } else {
        // If it cannot be written, nobody reads it.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Sends a capture and prints one line of report, also when interrupted.
fn replay(options: ReplayArguments) -> anyhow::Result<()> {
    let ReplayArguments { interface, pps, pace, rounds, queues, via, file } = options;
    let tempo = pps.map_or(Tempo::Capture(pace), Tempo::Rate);
    // Standard input cannot be read twice.
    let rounds = if file.as_os_str() == "-" { Some(1) } else { Some(rounds).filter(|rounds| *rounds > 0) };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot watch for signals")?;
    }
    let report = send(&file, &SendOptions { interface, via, queues, tempo, rounds }, &stop)?;
    writeln!(std::io::stdout(), "{report}").context("cannot write the report to stdout")?;
    if let Some(warning) = report.warning {
        eprintln!("pcap-replay: {}: {warning}", Escaped(file.display()));
    }
    Ok(())
}

fn generate(options: GenerateArguments) -> anyhow::Result<()> {
    let collect_answer = options.answer.is_some();
    let mut generator = Generator::new(Config { collect_answer, ..options.config })?;
    let mut capture = PcapWriter::new(create(&options.output)?, ETHERNET)?;
    let place = || format!("cannot write {}", Escaped(options.output.display()));
    while let Some(packet) = generator.next_packet() {
        let wire_len = packet.data.len() as u32;
        capture.write(packet.timestamp_ns, wire_len, packet.data).with_context(place)?;
    }
    capture.finish().with_context(place)?;
    if let (Some(path), Some(mut answer)) = (options.answer, generator.into_answer()) {
        answer.show_entries(options.answer_entries);
        let mut file = create(&path)?;
        let place = || format!("cannot write {}", Escaped(path.display()));
        serde_json::to_writer(&mut file, &answer).with_context(place)?;
        file.write_all(b"\n").and_then(|()| file.flush()).with_context(place)?;
    }
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot create {}", Escaped(path.display())))?;
    Ok(BufWriter::new(file))
}

/// Whether the command line has control characters, which clap would print unescaped.
fn arguments_have_controls() -> bool {
    std::env::args_os().any(|argument| has_control(&argument.to_string_lossy()))
}
