//! `cargo xtask bench export`: the cost of a scrape of an agent whose lists and histograms are full.
//!
//! The agent reads a generated capture of several periods and serves the result, and is then asked for `/metrics` in each
//! format that Prometheus asks for. CPU time is that of the agent's process; the time of a scrape is what a scraper on the
//! same machine waits.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use testbed::Process;

use crate::{command, http, measure, workspace};

/// Seven periods of traffic that fills every list. The same values give the same capture, byte for byte.
const SCENARIO: &[&str] = &[
    "--packets=200000",
    "--rate=500",
    "--names=100000",
    "--clients=50000",
    "--random-subdomains=0.1",
    "--random-sources=0.1",
    "--malformed=0.02",
    "--seed=9",
];

/// What a scraper asks for, and the beginning of the type that it wants.
const FORMATS: &[(&str, &str, &str)] = &[
    ("text", "text/plain;version=0.0.4", "text/plain"),
    ("OpenMetrics", "application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
    (
        "protobuf",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "application/vnd.google.protobuf",
    ),
];

/// Scrapes of each format. The agent keeps an answer for a second, so each one has to be made.
const SCRAPES: usize = 20;
const PAUSE: Duration = Duration::from_millis(1100);

/// How often Prometheus scrapes, in deploy/prometheus.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);

/// What a scrape may cost.
const SIZE_MAX_BYTES: usize = 1_000_000;
const TIME_MAX: Duration = Duration::from_millis(5);
const CORE_MAX_PCT: f64 = 0.1;

/// Scrapes in every format, and prints a table.
pub(super) fn run(agent: Option<&Path>) -> Result<()> {
    let agent = super::build(agent)?;
    let directory = workspace::target()?.join("bench");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let capture = generated_capture(&directory)?;
    let agent = FullAgent::start(&agent, &capture, &directory)?;
    let rows = FORMATS
        .iter()
        .map(|(name, accept, wanted)| agent.scrape_often(name, accept, wanted))
        .collect::<Result<Vec<_>>>()?;
    println!("\n{}", table(&rows));
    let results = directory.join("export.json");
    let text =
        serde_json::to_string(&ExportResults { benchmark: "export", scrapes: SCRAPES, formats: rows })?;
    fs::write(&results, text + "\n").with_context(|| format!("cannot write {}", results.display()))?;
    println!("results: {}", workspace::shown(&results));
    Ok(())
}

/// The generated capture, kept for the next time.
fn generated_capture(directory: &Path) -> Result<PathBuf> {
    let name: String =
        SCENARIO.iter().filter_map(|option| option.split_once('=')).map(|(_, v)| format!("-{v}")).collect();
    let capture = directory.join(format!("export{name}.pcap"));
    if !capture.exists() {
        let unfinished = directory.join("unfinished.pcap");
        let mut generate = Command::new(workspace::release_binary("pcap-replay")?);
        command::run(generate.arg("generate").args(SCENARIO).arg("--output").arg(&unfinished))?;
        fs::rename(&unfinished, &capture).with_context(|| format!("cannot name {}", capture.display()))?;
    }
    Ok(capture)
}

/// An agent that has read the capture.
struct FullAgent {
    process: Process,
    address: SocketAddr,
}

impl FullAgent {
    fn start(program: &Path, capture: &Path, directory: &Path) -> Result<Self> {
        let log = directory.join("export.stderr");
        let errors = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut serve = Command::new(program);
        serve.args(["--serve", "-l", "127.0.0.1", "-p", "0", "-H", workspace::GENERATED_HOST]).arg(capture);
        let mut process = Process::spawn(serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors));
        // It prints one line as soon as it has read the capture.
        let stdout = process.child().stdout.take().context("the agent has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("cannot read the agent's output")?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        let address =
            listening_address(&said).with_context(|| format!("the agent does not serve: {said}"))?;
        Ok(Self { process, address })
    }

    fn scrape_often(&self, name: &'static str, accept: &str, wanted: &str) -> Result<ExportCost> {
        let scrape = || -> Result<(Duration, http::HttpAnswer)> {
            thread::sleep(PAUSE);
            let started = Instant::now();
            let answer = http::get(self.address, "/metrics", Some(accept))?;
            Ok((started.elapsed(), answer))
        };
        let cpu_before = measure::cpu_time(self.process.id())?;
        let scrapes = (0..SCRAPES).map(|_| scrape()).collect::<Result<Vec<_>>>()?;
        let cpu = measure::cpu_time(self.process.id())?.saturating_sub(cpu_before) / SCRAPES as u32;
        let mut times: Vec<Duration> = scrapes.iter().map(|(time, _)| *time).collect();
        times.sort_unstable();
        let answers = || scrapes.iter().map(|(_, answer)| answer);
        Ok(ExportCost {
            format: name,
            is_answered: answers().all(|answer| answer.content_type.starts_with(wanted)),
            content_type: answers().next().map(|answer| answer.content_type.clone()).unwrap_or_default(),
            bytes: answers().map(|answer| answer.body.len()).max().unwrap_or(0),
            median_us: times[SCRAPES / 2].as_micros(),
            longest_us: times[SCRAPES - 1].as_micros(),
            cpu_us: cpu.as_micros(),
        })
    }
}

/// The address in the agent's log.
fn listening_address(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on http://")?;
    rest.split(['/', '\n']).next()?.parse().ok()
}

/// The results as a document.
#[derive(Serialize)]
struct ExportResults {
    benchmark: &'static str,
    scrapes: usize,
    formats: Vec<ExportCost>,
}

/// The cost of a scrape in one format.
#[derive(Clone, Serialize)]
struct ExportCost {
    format: &'static str,
    /// Whether the agent answers in the format that it was asked for.
    is_answered: bool,
    content_type: String,
    bytes: usize,
    median_us: u128,
    longest_us: u128,
    /// CPU time of the agent for each scrape.
    cpu_us: u128,
}

impl ExportCost {
    /// The share of a core that scrapes in the usual interval take.
    fn core_pct(&self) -> f64 {
        self.cpu_us as f64 / SCRAPE_INTERVAL.as_micros() as f64 * 100.0
    }

    fn is_within_limits(&self) -> bool {
        self.bytes < SIZE_MAX_BYTES && self.median_us < TIME_MAX.as_micros() && self.core_pct() < CORE_MAX_PCT
    }
}

fn table(rows: &[ExportCost]) -> String {
    let mut text = format!(
        "{SCRAPES} scrapes of each format\n\n{:14}{:>10}{:>12}{:>12}{:>12}{:>12}\n",
        "", "kB", "median ms", "longest ms", "CPU ms", "% of a core"
    );
    let ms = |us: u128| us as f64 / 1e3;
    for row in rows {
        let ExportCost { format, bytes, median_us, longest_us, cpu_us, .. } = row;
        let _ = write!(
            text,
            "{format:14}{:>10.1}{:>12.2}{:>12.2}{:>12.2}{:>12.4}",
            *bytes as f64 / 1e3,
            ms(*median_us),
            ms(*longest_us),
            ms(*cpu_us),
            row.core_pct(),
        );
        let _ = match row.is_answered {
            true => writeln!(text),
            false => writeln!(text, "  (answered as {})", row.content_type),
        };
    }
    let verdict = if rows.iter().all(ExportCost::is_within_limits) { "within" } else { "NOT within" };
    let _ = writeln!(
        text,
        "\n{verdict} {} kB, {} ms and {CORE_MAX_PCT} % of a core at one scrape in {} s",
        SIZE_MAX_BYTES / 1000,
        TIME_MAX.as_millis(),
        SCRAPE_INTERVAL.as_secs()
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(median_us: u128, is_answered: bool) -> ExportCost {
        ExportCost {
            format: "protobuf",
            is_answered,
            content_type: "text/plain; version=0.0.4".to_owned(),
            bytes: 100_000,
            median_us,
            longest_us: 7_000,
            cpu_us: 1_500,
        }
    }

    #[test]
    fn the_table_says_whether_the_limits_hold() {
        let text = table(&[cost(1_000, true)]);
        assert!(
            text.contains("protobuf           100.0        1.00        7.00        1.50      0.0100\n"),
            "{text}"
        );
        assert!(text.contains("\nwithin 1000 kB, 5 ms"), "{text}");
        assert!(table(&[cost(5_000, true)]).contains("\nNOT within"));
    }

    #[test]
    fn the_table_names_the_format_that_came_instead_of_the_one_asked_for() {
        let text = table(&[cost(1_000, false)]);
        assert!(text.contains("0.0100  (answered as text/plain; version=0.0.4)\n"), "{text}");
    }

    #[test]
    fn the_address_is_found_in_the_log() {
        let log = "x INFO metrics web server listening on http://127.0.0.1:40123/\n";
        assert_eq!(listening_address(log), Some(SocketAddr::from(([127, 0, 0, 1], 40123))));
        assert_eq!(listening_address("pktvisord: no such file"), None);
    }
}
