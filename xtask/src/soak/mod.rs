//! `cargo xtask soak`: the agent for minutes on interfaces that come and go, under hostile traffic and
//! among slow clients.
//!
//! The agent watches `any` in a network namespace. Two threads send captures with new names and
//! addresses all the time, one of them floods of half-open TCP connections and fragments
//! ([`traffic`]). Clients scrape JSON and Prometheus, others are slow ([`clients`]). Every second the
//! ledger must balance; memory, descriptors and threads are sampled ([`samples`]). At the end a table
//! says what was seen, and the command fails if memory grows, or descriptors or threads are left.

mod clients;
mod flood;
mod report;
mod samples;
mod traffic;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use testbed::{Namespace, Need, Process, Veth, http};

use crate::{build_ebpf, command, workspace};
use report::Soaked;
use samples::{ProcessSample, Sampler};

/// The agent's HTTP address, in its own namespace.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the agent is left alone before it is sampled at rest.
const REST: Duration = Duration::from_secs(15);

#[derive(clap::Args)]
pub(crate) struct SoakArguments {
    /// How long
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: u64,
    /// Minutes before memory must be flat [default: half of all minutes]
    #[arg(long, value_name = "N")]
    warm_up: Option<u64>,
    /// Fail if memory grows faster after that, in kB a minute
    #[arg(long, value_name = "KB", default_value = "100")]
    slope_limit: f64,
    /// Packets a second of each of the two senders
    #[arg(long, value_name = "N", default_value = "3000")]
    pps: u64,
    /// Use the programs in this directory instead of the release build
    #[arg(long, value_name = "DIRECTORY")]
    programs: Option<PathBuf>,
}

impl SoakArguments {
    fn warm_up_minutes(&self) -> u64 {
        self.warm_up.unwrap_or(self.minutes / 2)
    }
}

/// What the threads of a run share.
struct SoakShared {
    watched: Namespace,
    peer: Namespace,
    /// Of `pcap-replay`.
    sender: PathBuf,
    /// For captures.
    directory: PathBuf,
    pps: u64,
    stop: AtomicBool,
    counts: SoakCounts,
}

/// What the threads did.
#[derive(Default)]
struct SoakCounts {
    packets: AtomicU64,
    interfaces: AtomicU64,
    scrapes: AtomicU64,
    /// Scrapes whose answer was not ready in time.
    late: AtomicU64,
    slow_clients: AtomicU64,
    refused: AtomicU64,
}

impl SoakCounts {
    fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl SoakShared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps, but not beyond the end. Returns whether the end has come.
    fn rest(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.is_over() && Instant::now() < until {
            thread::sleep(Duration::from_millis(50).min(until.saturating_duration_since(Instant::now())));
        }
        self.is_over()
    }
}

/// The subcommand.
pub(crate) fn run(arguments: &SoakArguments) -> Result<()> {
    if let Some(reason) = testbed::missing(&[Need::Namespaces, Need::Program("ethtool")]) {
        bail!("the agent cannot be soaked here: {reason}");
    }
    let programs = programs(arguments.programs.as_deref())?;
    let directory = tempfile::tempdir().context("cannot create a directory for captures")?;
    let shared = Arc::new(SoakShared {
        watched: Namespace::new(),
        peer: Namespace::new(),
        sender: programs.join("pcap-replay"),
        directory: directory.path().to_owned(),
        pps: arguments.pps,
        stop: AtomicBool::new(false),
        counts: SoakCounts::default(),
    });
    let pair = Veth::new(&shared.peer, &shared.watched).names("soakpeer", "soakhost").create();
    let agent = start_agent(&programs.join("pktvisord"), &shared.watched, directory.path())?;
    thread::sleep(REST);
    let at_rest = ProcessSample::at_rest(agent.id())?;
    println!("at rest: {at_rest}");
    let threads = start_threads(&shared, pair.left.name());
    let mut sampler = Sampler::new(agent.id(), Duration::from_secs(60 * arguments.warm_up_minutes()));
    let worked = watch(&shared, &mut sampler, Duration::from_secs(60 * arguments.minutes));
    shared.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a thread panicked; its message is above"))?;
    }
    worked?;
    thread::sleep(REST);
    let after = ProcessSample::at_rest(agent.id())?;
    let stopped = stop_agent(agent, directory.path());
    let soaked = Soaked { at_rest, after, sampler: &sampler, counts: &shared.counts, arguments };
    println!("\n{}", soaked.table());
    stopped?;
    soaked.judge()
}

/// The directory with the programs to use.
fn programs(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(directory) = given {
        return directory.canonicalize().with_context(|| format!("there is no {}", directory.display()));
    }
    build_ebpf::build_for_this_machine()?;
    command::run(&mut command::cargo(["build", "--release", "-p", "pcap-replay", "-p", "pktvisor-agent"]))?;
    Ok(workspace::target()?.join("release"))
}

fn start_agent(program: &Path, namespace: &Namespace, directory: &Path) -> Result<Process> {
    let log = fs::File::create(directory.join("log")).context("cannot create the log")?;
    let mut command = namespace.command(program);
    command.args(["-l", "127.0.0.1", "-H", workspace::GENERATED_HOST, "any"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut process = Process::spawn(&mut command);
    let deadline = Instant::now() + PATIENCE;
    while !matches!(http::get(namespace, SERVER, "/healthz"), Ok((200, _))) {
        let ended = process.child().try_wait().context("cannot wait for pktvisord")?.is_some();
        ensure!(!ended && Instant::now() < deadline, "pktvisord does not start: {}", last_line(directory));
        thread::sleep(Duration::from_millis(50));
    }
    Ok(process)
}

fn stop_agent(mut agent: Process, directory: &Path) -> Result<()> {
    agent.signal(libc::SIGTERM);
    let status = agent.wait(PATIENCE);
    ensure!(status.success(), "pktvisord ended with {status}: {}", last_line(directory));
    Ok(())
}

fn last_line(directory: &Path) -> String {
    let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
    log.lines().last().unwrap_or_default().to_owned()
}

type SoakWork = fn(&SoakShared, &str) -> Result<()>;

/// Everything that goes on beside the watching.
fn start_threads(shared: &Arc<SoakShared>, interface: &str) -> Vec<JoinHandle<()>> {
    let works: [(&str, SoakWork); 6] = [
        ("queries", traffic::send_queries),
        ("floods", traffic::send_floods),
        ("interfaces", |shared, _| traffic::change_interfaces(shared)),
        ("scrapes", |shared, _| clients::scrape(shared)),
        ("slow clients", |shared, _| clients::be_slow(shared)),
        ("deaf clients", |shared, _| clients::be_deaf(shared)),
    ];
    let start = |(name, work): (&'static str, SoakWork)| {
        let (shared, interface) = (Arc::clone(shared), interface.to_owned());
        thread::spawn(move || {
            if let Err(error) = work(&shared, &interface) {
                panic!("{name}: {error:#}");
            }
        })
    };
    works.into_iter().map(start).collect()
}

/// Checks the ledger and samples the process every second until the time is over.
fn watch(shared: &SoakShared, sampler: &mut Sampler, time: Duration) -> Result<()> {
    let (began, mut second, mut minute) = (Instant::now(), 0, 0);
    while began.elapsed() < time {
        sampler.sample(began.elapsed())?;
        let (status, app) = clients::ask(shared, "/api/v1/metrics/app")?;
        ensure!(status == 200, "status {status}: {app}");
        sampler.check_ledger(&serde_json::from_str(&app).context("the answer is not JSON")?)?;
        if began.elapsed().as_secs() / 60 > minute {
            minute = began.elapsed().as_secs() / 60;
            println!("after {minute} min: {}", sampler.last());
        }
        second += 1;
        thread::sleep(Duration::from_secs(second).saturating_sub(began.elapsed()));
    }
    Ok(())
}
