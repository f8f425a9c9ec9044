//! `cargo xtask bench live`: the agent's cost of a packet on a live interface, and the highest rate
//! without loss.
//!
//! `pcap-replay` sends DNS over UDP through a veth pair between network namespaces to each watcher
//! in turn, at rising rates and then as fast as possible. The watchers are the agent in `inline`
//! mode, the agent in `tap` mode, and `tcpdump -w /dev/null` for comparison. CPU time is that of
//! the watcher's own threads, user and system. It excludes the kernel's work in interrupts: `cargo
//! xtask bench kernel` measures the agent's kernel programs.

mod report;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use testbed::{Namespace, Need, Veth};

use super::watcher::{BenchedAgent, Tcpdump, Watcher};
use crate::{build_ebpf, command, workspace};
use report::Measurement;

/// Packets requested per second; the last rate is the highest possible.
const RATES: [Option<u64>; 6] =
    [Some(100_000), Some(200_000), Some(300_000), Some(500_000), Some(750_000), None];
/// How long each rate lasts: tables reach their size in this time, and a period may be rotated.
const SECONDS: u64 = 10;
/// Queues at each end of the pair, and of the sender: a single one cannot send as fast as the agent
/// receives.
const QUEUES: u32 = 2;
/// Packets of the capture that is sent repeatedly.
const PACKETS: u64 = 500_000;
const SCENARIO: &[&str] =
    &["--names", "100000", "--clients", "50000", "--dns-share", "1", "--tcp-share", "0", "--seed", "1"];

/// The modes by their name in the table. XDP for `inline`, because the stack drops a part of the
/// highest rate before tcx sees it.
const MODES: [(&str, &[&str]); 2] =
    [("inline", &["--mode", "inline", "--hook", "xdp"]), ("tap", &["--mode", "tap"])];

/// Measures at `rates`, or at [`RATES`] if there are none, and prints a table.
pub(super) fn run(agent: Option<&Path>, rates: &[u64]) -> Result<()> {
    if let Some(reason) = testbed::missing(&[Need::Namespaces, Need::Program("ethtool"), Need::Program("tc")])
    {
        bail!("the benchmark cannot run here: {reason}");
    }
    if agent.is_none() {
        build_ebpf::build_for_this_machine()?;
    }
    let agent = super::build(agent)?;
    let directory = workspace::target()?.join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let capture = generated_capture(&directory)?;
    let mut measurements = Vec::new();
    let asked: Vec<_> = rates.iter().map(|rate| Some(*rate)).collect();
    for rate in if asked.is_empty() { RATES.to_vec() } else { asked } {
        for (mode, options) in MODES {
            let options = [options, &["-H", workspace::GENERATED_HOST]].concat();
            let start = |interface: &testbed::End| BenchedAgent::start(&agent, interface, mode, &options);
            add(&mut measurements, measure(&capture, rate, start));
        }
        add(&mut measurements, measure(&capture, rate, Tcpdump::start));
    }
    println!("\n{}", report::table(&measurements));
    let results = directory.join("live.json");
    fs::write(&results, report::json(&measurements)?)
        .with_context(|| format!("cannot write {}", results.display()))?;
    println!("results: {}", workspace::shown(&results));
    Ok(())
}

/// Prints each result at once, because all of them take minutes. A watcher that cannot run does not
/// stop the others.
fn add(measurements: &mut Vec<Measurement>, measurement: Result<Measurement>) {
    match measurement {
        Ok(measurement) => {
            print!("{}", report::rows(std::slice::from_ref(&measurement)));
            measurements.push(measurement);
        }
        Err(error) => println!("left out: {error:#}"),
    }
}

/// Measures one watcher at one rate, on a new pair.
fn measure<W: Watcher>(
    capture: &Path,
    rate: Option<u64>,
    start: impl FnOnce(&testbed::End) -> Result<W>,
) -> Result<Measurement> {
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).queues(QUEUES).create();
    // The sender waits while the far end is busy, so that all sent packets arrive.
    pair.left.hold_back();
    let watcher = start(&pair.right)?;
    // The work of its start is over, and its work without packets is the same for every rate.
    thread::sleep(std::time::Duration::from_secs(1));
    let cpu_before = watcher.cpu()?;
    let sent = send(&pair.left, capture, rate)?;
    let seen = watcher.seen(sent.packets)?;
    let cpu = watcher.cpu()?.since(cpu_before);
    Ok(Measurement { watcher: watcher.name(), asked: rate, sent, seen, cpu })
}

fn generated_capture(directory: &Path) -> Result<PathBuf> {
    let capture = directory.join(format!("live-{PACKETS}.pcap"));
    if !capture.exists() {
        let unfinished = directory.join("unfinished.pcap");
        let mut generate = Command::new(workspace::release_binary("pcap-replay")?);
        generate.args(["generate", "--packets", &PACKETS.to_string()]).args(SCENARIO);
        command::run(generate.arg("--output").arg(&unfinished))?;
        fs::rename(&unfinished, &capture).with_context(|| format!("cannot name {}", capture.display()))?;
    }
    Ok(capture)
}

/// The numbers that the sender reports.
#[derive(Clone, Copy)]
struct SentPackets {
    packets: u64,
    per_second: u64,
}

fn send(from: &testbed::End, capture: &Path, rate: Option<u64>) -> Result<SentPackets> {
    let mut sender = from.namespace().command(workspace::release_binary("pcap-replay")?);
    // For the highest possible rate, a million packets per second is the guess.
    let rounds = (rate.unwrap_or(1_000_000) * SECONDS).div_ceil(PACKETS);
    sender.args(["--interface", from.name(), "--loop", &rounds.to_string()]);
    sender.args(["--queues", &QUEUES.to_string()]);
    if let Some(rate) = rate {
        sender.args(["--pps", &rate.to_string()]);
    }
    let output = sender.arg(capture).output().context("cannot start pcap-replay")?;
    let line = String::from_utf8_lossy(&output.stdout);
    parse_sent(&line).with_context(|| {
        format!("pcap-replay says: {line}{}", String::from_utf8_lossy(&output.stderr).trim_end())
    })
}

/// `sent 2000000 packets, 289552130 bytes in 2.286 s: 874816 packets/s, ...`
fn parse_sent(line: &str) -> Option<SentPackets> {
    let (packets, rest) = line.strip_prefix("sent ")?.split_once(' ')?;
    let (_, rest) = rest.split_once(" s: ")?;
    let (per_second, _) = rest.split_once(' ')?;
    Some(SentPackets { packets: packets.parse().ok()?, per_second: per_second.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_sent_packets_is_read_from_the_senders_line() {
        let line = "sent 2000000 packets, 289552130 bytes in 2.286 s: 874816 packets/s, 1013 Mbit/s (AF_XDP, 1 queue)";
        let sent = parse_sent(line).expect("a report");
        assert_eq!((sent.packets, sent.per_second), (2_000_000, 874_816));
        assert!(parse_sent("pcap-replay: interface x is down").is_none());
    }
}
