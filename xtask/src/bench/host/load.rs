//! The load on the server, and what its clients measure.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use testbed::{End, Process};

/// Queries per second at which latency is measured: far from what the server can do.
const MODERATE_RATE: u32 = 20_000;

/// How often to try to connect to iperf3, which does not report when it listens.
const TRIES: u32 = 50;

/// Clients at one end of a cable, for a server at the other end.
pub(super) struct ServerLoad<'a> {
    pub(super) from: &'a End,
    pub(super) to: &'a End,
    pub(super) queries: &'a Path,
}

/// From query to answer, as the client sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Latency {
    pub(super) mean_us: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl ServerLoad<'_> {
    /// As many queries as the server answers; returns how many per second.
    pub(super) fn full(&self, seconds: u32) -> Result<f64> {
        let text = self.dnsperf(seconds, &["-c", "4", "-q", "100"])?;
        let rate = text.lines().find_map(|line| line.trim().strip_prefix("Queries per second:"));
        let rate = rate.and_then(|rate| rate.trim().parse().ok());
        rate.with_context(|| format!("dnsperf prints no rate: {text}"))
    }

    /// The latency at a moderate rate.
    pub(super) fn latency(&self, seconds: u32) -> Result<Latency> {
        let rate = MODERATE_RATE.to_string();
        // -v: a line for each query.
        let text = self.dnsperf(seconds, &["-c", "4", "-Q", &rate, "-v"])?;
        latency(&text).with_context(|| "dnsperf prints no latencies".to_owned())
    }

    fn dnsperf(&self, seconds: u32, words: &[&str]) -> Result<String> {
        let mut command = self.from.namespace().command("dnsperf");
        command.args(["-s", &self.to.address(0).to_string(), "-T", "1", "-l", &seconds.to_string()]);
        command.arg("-d").arg(self.queries).args(words);
        let output = command.output().context("cannot start dnsperf")?;
        if !output.status.success() {
            bail!("dnsperf fails: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Gigabits per second of one TCP connection to the server's end.
    pub(super) fn tcp(&self, seconds: u32) -> Result<f64> {
        let mut server = self.to.namespace().command("iperf3");
        let _server = Process::spawn(server.arg("-s").stdout(Stdio::null()).stderr(Stdio::null()));
        for _ in 0..TRIES {
            let mut client: Command = self.from.namespace().command("iperf3");
            client.args(["-J", "-c", &self.to.address(0).to_string(), "-t", &seconds.to_string()]);
            let output = client.output().context("cannot start iperf3")?;
            // It succeeds even if it reaches no server, but then prints an error.
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if let Some(bits) = report["end"]["sum_received"]["bits_per_second"].as_f64() {
                return Ok(bits / 1e9);
            }
            sleep(Duration::from_millis(50));
        }
        bail!("iperf3 reaches no server")
    }
}

/// Reads lines like `> NOERROR host1.example.test A 0.000043`.
fn latency(text: &str) -> Option<Latency> {
    let of_line = |line: &str| line.strip_prefix("> ")?.rsplit(' ').next()?.parse::<f64>().ok();
    let mut latencies_us: Vec<f64> =
        text.lines().filter_map(of_line).map(|latency_s| latency_s * 1e6).collect();
    latencies_us.sort_by(f64::total_cmp);
    let quantile = |share: f64| latencies_us.get((latencies_us.len() as f64 * share) as usize).copied();
    Some(Latency {
        mean_us: latencies_us.iter().sum::<f64>() / latencies_us.len() as f64,
        p50_us: quantile(0.5)?,
        p99_us: quantile(0.99)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_read_from_the_lines_of_queries() {
        let lines = (1..=100).map(|us| format!("> NOERROR host{us}.example.test A 0.{us:06}\n"));
        let text = format!("[Status] Sending\n{}Statistics:\n", lines.collect::<String>());
        let Latency { mean_us, p50_us, p99_us } = latency(&text).expect("lines");
        assert_eq!([mean_us, p50_us, p99_us].map(f64::round), [51.0, 51.0, 100.0]);
        assert_eq!(latency("Statistics:\n"), None);
    }
}
