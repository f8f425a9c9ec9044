//! `cargo xtask bench peers`: the capture of the replay benchmark through the programs that one would
//! use instead. They answer less or other questions; the table says which.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::replay::{self, Threads};
use crate::measure::{self, Cost};
use crate::{apt, command};

/// Runs of the agent, of which the median counts. The others run once: they take long.
const RUNS: usize = 7;

/// A program to compare with.
struct Peer {
    /// Its name, which is also that of its Debian package.
    name: &'static str,
    /// Options before and behind the file.
    before: &'static [&'static str],
    behind: &'static [&'static str],
    answers: &'static str,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "tshark",
        before: &["-n", "-q", "-z", "dns,tree", "-r"],
        behind: &[],
        answers: "counts of types, codes, opcodes; sizes, response times",
    },
    Peer { name: "tcpdump", before: &["-n", "-r"], behind: &[], answers: "one line of text for each packet" },
    Peer {
        name: "dnstop",
        before: &["-4", "-6", "-Q", "-R", "-l", "3"],
        behind: &[],
        answers: "lists of sources, destinations, types, codes, names",
    },
];

const OURS: &str = "all metrics: packets, names, clients, codes, times, lists";

/// One line of the table.
struct PeerRow {
    name: String,
    cost: Cost,
    answers: &'static str,
}

/// Runs all of them, and prints a table.
pub(super) fn run(agent: Option<&Path>) -> Result<()> {
    let agent = super::build(agent)?;
    let directory = super::directory()?;
    let capture = replay::generated_capture(&directory)?;
    install_missing();
    // The first run brings the file into the page cache; it is not counted.
    replay::replay_once(&agent, &capture, &directory, Threads::One)?;
    let mut rows = Vec::new();
    for (threads, name) in [(Threads::One, "pktvisord --threads 1"), (Threads::Two, "pktvisord --threads 2")]
    {
        let costs = (0..RUNS).map(|_| replay::replay_once(&agent, &capture, &directory, threads));
        let mut costs = costs.collect::<Result<Vec<_>>>()?;
        costs.sort_by_key(|cost| cost.wall);
        rows.push(PeerRow { name: name.to_owned(), cost: costs[RUNS / 2], answers: OURS });
    }
    for peer in PEERS {
        if !command::on_path(peer.name) {
            println!("left out: {}, which is not installed", peer.name);
            continue;
        }
        let mut program = Command::new(peer.name);
        program.args(peer.before).arg(&capture).args(peer.behind);
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match measure::cost_of(&mut program) {
            Ok(cost) => rows.push(PeerRow { name: peer.name.to_owned(), cost, answers: peer.answers }),
            Err(error) => println!("left out: {error}"),
        }
    }
    println!("\n{}", table(replay::PACKETS, &rows));
    Ok(())
}

/// Installs the programs that are missing, if this system has them and this user may.
fn install_missing() {
    let missing = PEERS.iter().map(|peer| peer.name).filter(|name| !command::on_path(name));
    let missing: Vec<&str> = missing.filter(|name| apt::has(name)).collect();
    if missing.is_empty() {
        return;
    }
    if let Err(error) = apt::install(&missing) {
        println!("{error}");
    }
}

fn table(packets: u64, rows: &[PeerRow]) -> String {
    let mut text = format!(
        "{packets} packets through each program\n\n{:24}{:>9}{:>9}{:>11}{:>12}  answers\n",
        "", "wall s", "CPU s", "peak MiB", "packets/s"
    );
    for PeerRow { name, cost, answers } in rows {
        let wall_s = cost.wall.as_secs_f64();
        let _ = writeln!(
            text,
            "{name:24}{wall_s:>9.3}{:>9.3}{:>11.1}{:>12.0}  {answers}",
            cost.cpu().as_secs_f64(),
            cost.anonymous_peak_bytes as f64 / f64::from(1 << 20),
            packets as f64 / wall_s.max(f64::MIN_POSITIVE),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_table_has_packets_by_time_from_start_to_end() {
        let wall = Duration::from_secs(2);
        let cost = Cost { wall, user: wall, system: wall, anonymous_peak_bytes: 3 << 20 };
        let text = table(1000, &[PeerRow { name: "peer".to_owned(), cost, answers: "little" }]);
        let row: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(row, ["peer", "2.000", "4.000", "3.0", "500", "little"]);
    }
}
