//! `cargo xtask bench host`: what watching takes from a name server on the same host.
//!
//! NSD answers dnsperf across a veth pair between network namespaces, on the processors of this
//! machine. At full load every cycle of a watcher is taken from server and client; at a moderate
//! rate it shows in their latency; iperf3 shows what it takes from a TCP connection. Rounds are
//! interleaved, because machines change their speed, and the table has the medians. If there is
//! `perf`, the benchmark also prints the functions in which the added time is spent.

mod load;
mod profile;
mod report;
mod server;

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use testbed::{End, Namespace, Need, Veth, VethPair};

use super::watcher::{BenchedAgent, Tcpdump};
use crate::{build_ebpf, workspace};
use load::ServerLoad;
use profile::Profile;
use report::Round;
use server::NameServer;

/// Options of this benchmark.
#[derive(clap::Args)]
pub(super) struct HostBenchArguments {
    /// Rounds, of which the table has the medians (host)
    #[arg(long, default_value = "6", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Seconds of each measurement (host)
    #[arg(long, default_value = "4", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Measure only these watchers, beside nobody (host); several with commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    watchers: Vec<String>,
    /// Measure only these quantities (host): load, latency, tcp, profile; several with commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    only: Vec<Quantity>,
}

/// What is measured of a watcher.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Quantity {
    /// Queries per second at full load
    Load,
    /// Latency at a moderate rate
    Latency,
    /// TCP throughput
    Tcp,
    /// Functions that take time at full load
    Profile,
}

/// A program that may watch the server's interface.
enum WatcherKind {
    Nobody,
    /// The agent with these options.
    Agent(&'static [&'static str]),
    Tcpdump,
}

/// The rows of the table. The first one is what the others are compared with.
const WATCHERS: [(&str, WatcherKind); 6] = [
    ("nobody", WatcherKind::Nobody),
    ("xdp", WatcherKind::Agent(&["--mode", "inline", "--hook", "xdp"])),
    ("xdp-0", WatcherKind::Agent(&["--mode", "inline", "--hook", "xdp", "--max-deep-sample", "0"])),
    ("tcx", WatcherKind::Agent(&["--mode", "inline", "--hook", "tcx"])),
    ("tcx-0", WatcherKind::Agent(&["--mode", "inline", "--hook", "tcx", "--max-deep-sample", "0"])),
    ("tcpdump", WatcherKind::Tcpdump),
];

/// Measures every watcher in turn, several times, and prints the medians.
pub(super) fn run(agent: Option<&Path>, arguments: &HostBenchArguments) -> Result<()> {
    let needs = [Need::Namespaces, Need::Program("nsd"), Need::Program("dnsperf"), Need::Program("ethtool")];
    if let Some(reason) = testbed::missing(&needs) {
        bail!("the benchmark cannot run here: {reason} (cargo xtask setup --for bench)");
    }
    if agent.is_none() {
        build_ebpf::build_for_this_machine()?;
    }
    let agent = super::build_agent(agent)?;
    let bench = HostBench::new(arguments)?;
    let watchers: Vec<&(&str, WatcherKind)> = WATCHERS
        .iter()
        .filter(|(name, kind)| {
            matches!(kind, WatcherKind::Nobody)
                || arguments.watchers.is_empty()
                || arguments.watchers.iter().any(|asked| asked == name)
        })
        .collect();
    let mut rounds: Vec<(&str, Vec<Round>)> = watchers.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for number in 0..arguments.rounds {
        // Forwards and backwards, so that none always follows the same one.
        let mut order: Vec<usize> = (0..watchers.len()).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let (name, kind) = watchers[index];
            match bench.round(&agent, name, kind) {
                Ok(round) => rounds[index].1.push(round),
                Err(error) => println!("{name}: left out: {error:#}"),
            }
        }
        println!("round {} of {}", number + 1, arguments.rounds);
    }
    println!("\n{}", report::table(&rounds));
    let directory = workspace::target()?.join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let results = directory.join("host.json");
    fs::write(&results, report::json(&rounds)?)
        .with_context(|| format!("cannot write {}", results.display()))?;
    println!("results: {}", workspace::shown(&results));
    Ok(())
}

/// The server, the cable, and what is measured.
struct HostBench {
    pair: VethPair,
    server: NameServer,
    seconds: u32,
    quantities: Vec<Quantity>,
}

impl HostBench {
    fn new(arguments: &HostBenchArguments) -> Result<Self> {
        let all = [Quantity::Load, Quantity::Latency, Quantity::Tcp, Quantity::Profile];
        let wanted = |it: &Quantity| arguments.only.is_empty() || arguments.only.contains(it);
        let mut quantities: Vec<Quantity> = all.into_iter().filter(wanted).collect();
        for (quantity, program) in [(Quantity::Tcp, "iperf3"), (Quantity::Profile, "perf")] {
            if quantities.contains(&quantity)
                && let Some(reason) = testbed::missing(&[Need::Program(program)])
            {
                println!("left out: {reason} (cargo xtask setup --for bench)");
                quantities.retain(|it| *it != quantity);
            }
        }
        let (client, host) = (Namespace::new(), Namespace::new());
        // With the offloads that every real interface has.
        let veth = Veth::new(&client, &host).addresses("10.53.0.2/24", "10.53.0.1/24").with_offloads();
        let pair = veth.create();
        let server = NameServer::start(&pair.right)?;
        Ok(Self { pair, server, seconds: arguments.seconds, quantities })
    }

    /// Measures one watcher once.
    fn round(&self, agent: &Path, name: &'static str, kind: &WatcherKind) -> Result<Round> {
        let interface = &self.pair.right;
        let _watcher = start(agent, interface, name, kind)?;
        // The work of its start is over.
        sleep(Duration::from_secs(1));
        let load = ServerLoad { from: &self.pair.left, to: interface, queries: self.server.queries() };
        let has = |quantity| self.quantities.contains(&quantity);
        let mut round = Round::default();
        if has(Quantity::Load) {
            round.queries_per_second = Some(load.full(self.seconds)?);
        }
        if has(Quantity::Latency) {
            round.latency = Some(load.latency(self.seconds)?);
        }
        if has(Quantity::Tcp) {
            round.tcp_gbits = Some(load.tcp(self.seconds)?);
        }
        if has(Quantity::Profile) {
            let profile = Profile::record(|| load.full(self.seconds), self.seconds)?;
            round.profile = Some(profile);
        }
        Ok(round)
    }
}

/// A watcher that stops when it is dropped.
enum RunningWatcher {
    Nobody,
    Agent { _agent: BenchedAgent },
    Tcpdump { _tcpdump: Tcpdump },
}

fn start(agent: &Path, interface: &End, name: &'static str, kind: &WatcherKind) -> Result<RunningWatcher> {
    Ok(match kind {
        WatcherKind::Nobody => RunningWatcher::Nobody,
        WatcherKind::Agent(options) => {
            RunningWatcher::Agent { _agent: BenchedAgent::start(agent, interface, name, options)? }
        }
        WatcherKind::Tcpdump => RunningWatcher::Tcpdump { _tcpdump: Tcpdump::start(interface)? },
    })
}
