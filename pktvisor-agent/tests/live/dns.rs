//! A real name server, and a client that counts its own exchanges.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::{Namespace, Process};

use crate::network::HOST;

/// Existing names. The client queries as many others that do not exist.
const NAMES: usize = 1000;

/// Knot DNS, authoritative for `example.test`, on the watched host's addresses.
pub(crate) struct NameServer {
    _process: Process,
    directory: TempDir,
}

impl NameServer {
    pub(crate) fn start(namespace: &Namespace) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::write(path.join("knot.conf"), configuration(path)).unwrap();
        fs::write(path.join("zone"), zone()).unwrap();
        fs::write(path.join("queries"), queries()).unwrap();
        let mut command = namespace.command("knotd");
        command.arg("-c").arg(path.join("knot.conf")).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Process::spawn(&mut command);
        let stderr = BufReader::new(process.child().stderr.take().unwrap());
        let ready = stderr.lines().map_while(Result::ok).any(|line| line.contains("server started"));
        assert!(ready, "knotd ended before it served");
        Self { _process: process, directory }
    }

    /// A file of queries: half of them for existing names, some for a zone that is not served.
    pub(crate) fn queries(&self) -> String {
        self.directory.path().join("queries").display().to_string()
    }
}

fn configuration(path: &Path) -> String {
    let path = path.display();
    let [address, _] = HOST;
    format!(
        "server:\n  rundir: {path}\n  listen: {address}@53\n  udp-workers: 1\n  tcp-workers: 1\n  \
           background-workers: 1\n\
         log:\n  - target: stderr\n    any: info\n\
         database:\n  storage: {path}/db\n\
         zone:\n  - domain: example.test\n    file: {path}/zone\n    journal-content: none\n    \
           zonefile-load: whole\n"
    )
}

fn zone() -> String {
    let mut zone =
        "$ORIGIN example.test.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 10.53.0.1\n"
            .to_owned();
    for n in 0..NAMES {
        let _ = writeln!(zone, "host{n} A 198.51.100.{}\nhost{n} AAAA 2001:db8::{n:x}", n % 256);
    }
    zone
}

fn queries() -> String {
    let mut queries = String::new();
    for n in 0..2 * NAMES {
        let _ = writeln!(queries, "host{n}.example.test {}", if n % 3 == 0 { "AAAA" } else { "A" });
    }
    for n in 0..NAMES / 10 {
        let _ = writeln!(queries, "host{n}.not-served.test A");
    }
    queries
}

/// dnsperf's own report.
#[derive(Debug)]
pub(crate) struct Dnsperf {
    pub(crate) sent: u64,
    pub(crate) completed: u64,
    pub(crate) lost: u64,
    pub(crate) noerror: u64,
    pub(crate) nxdomain: u64,
    pub(crate) refused: u64,
    pub(crate) latency_max_us: f64,
    pub(crate) latency_average_us: f64,
}

impl Dnsperf {
    /// Sends queries to the watched host from the peer's namespace.
    pub(crate) fn run(namespace: &Namespace, server: &NameServer, words: &[&str]) -> Self {
        let mut command = namespace.command("dnsperf");
        command.args(["-s", HOST[0], "-T", "1", "-d", &server.queries()]).args(words);
        let started = Instant::now();
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && started.elapsed() < Duration::from_secs(60), "{output:?}");
        let (latency_average_us, latency_max_us) = latencies_us(&text).unwrap_or_else(|| panic!("{text}"));
        Self {
            sent: number_behind(&text, "Queries sent:"),
            completed: number_behind(&text, "Queries completed:"),
            lost: number_behind(&text, "Queries lost:"),
            noerror: number_behind(&text, "NOERROR "),
            nxdomain: number_behind(&text, "NXDOMAIN "),
            refused: number_behind(&text, "REFUSED "),
            latency_max_us,
            latency_average_us,
        }
    }
}

/// The number behind a label; 0 without the label, as for response codes that did not occur.
fn number_behind(text: &str, label: &str) -> u64 {
    let digits = text.split_once(label).map_or("0", |(_, rest)| rest.trim_start());
    digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// From `Average Latency (s):  0.001043 (min 0.000022, max 0.005811)`: average and maximum.
fn latencies_us(text: &str) -> Option<(f64, f64)> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Average Latency (s):"))?;
    let (average, rest) = line.trim().split_once(" (min ")?;
    let (_, max) = rest.trim_end_matches(')').split_once("max ")?;
    Some((average.parse::<f64>().ok()? * 1e6, max.parse::<f64>().ok()? * 1e6))
}
