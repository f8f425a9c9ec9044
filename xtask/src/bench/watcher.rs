//! Programs that watch an interface: starting them, reading their counts, and measuring their CPU
//! time.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use testbed::{End, Namespace, Need, Process, http};

use crate::measure;

/// The agent's HTTP address, in its own namespace.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);
const PATIENCE: Duration = Duration::from_secs(30);

/// CPU time of a process, all threads.
#[derive(Clone, Copy, Default)]
pub(super) struct Cpu {
    pub(super) user: Duration,
    pub(super) system: Duration,
}

impl Cpu {
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }
}

/// The watcher's counts of the packets sent.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// Packets counted.
    pub(super) counted: u64,
    /// Packets that were analysed, or written.
    pub(super) analysed: u64,
    /// Packets lost before that.
    pub(super) lost: u64,
}

/// A program under measurement.
pub(super) trait Watcher {
    fn name(&self) -> &'static str;
    /// CPU time so far.
    fn cpu(&self) -> Result<Cpu>;
    /// Waits until it has processed so many packets, or no more can come, and returns its counts.
    fn seen(&self, packets: u64) -> Result<Seen>;
}

/// `pktvisord`, analysing all DNS unless its options say otherwise.
pub(super) struct BenchedAgent {
    process: Process,
    namespace: Namespace,
    name: &'static str,
}

impl BenchedAgent {
    pub(super) fn start(
        program: &Path,
        interface: &End,
        name: &'static str,
        options: &[&str],
    ) -> Result<Self> {
        let stderr = tempfile::NamedTempFile::new().context("cannot create a temporary file")?;
        let mut command = interface.namespace().command(program);
        command.args(["-l", "127.0.0.1", interface.name()]).args(options);
        command.stdout(Stdio::null()).stderr(stderr.reopen().context("cannot open the temporary file")?);
        let mut process = Process::spawn(&mut command);
        let namespace = interface.namespace().clone();
        let deadline = Instant::now() + PATIENCE;
        while !matches!(http::get(&namespace, SERVER, "/healthz"), Ok((200, _))) {
            let ended = process.child().try_wait().context("cannot wait for pktvisord")?.is_some();
            if ended || Instant::now() > deadline {
                let said = fs::read_to_string(stderr.path()).unwrap_or_default();
                bail!("pktvisord ({name}) does not start: {}", said.lines().last().unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, namespace, name })
    }

    fn ledger(&self) -> (Seen, u64) {
        let app = http::json(&self.namespace, SERVER, "/api/v1/metrics/app");
        let term = |name: &str| app["app"]["ledger"][name].as_u64().unwrap_or(0);
        let (counted, lost) = (term("counted"), term("lost"));
        // Analysis found a message, a malformed one, or a part of one.
        let analysed = counted.saturating_sub(lost + term("not_chosen"));
        let seen = Seen { counted, analysed, lost };
        (seen, term("pending"))
    }
}

impl Watcher for BenchedAgent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu(&self) -> Result<Cpu> {
        cpu(self.process.id())
    }

    fn seen(&self, packets: u64) -> Result<Seen> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (seen, pending) = self.ledger();
            if (seen.counted >= packets && pending == 0) || Instant::now() > deadline {
                return Ok(seen);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// `tcpdump -w /dev/null`.
pub(super) struct Tcpdump {
    process: Process,
    stderr: tempfile::NamedTempFile,
}

impl Tcpdump {
    pub(super) fn start(interface: &End) -> Result<Self> {
        if let Some(reason) = testbed::missing(&[Need::Program("tcpdump")]) {
            bail!("{reason}");
        }
        let stderr = tempfile::NamedTempFile::new().context("cannot create a temporary file")?;
        let mut command = interface.namespace().command("tcpdump");
        command.args(["-i", interface.name(), "-w", "/dev/null"]).stdout(Stdio::null());
        command.stderr(stderr.reopen().context("cannot open the temporary file")?);
        let this = Self { process: Process::spawn(&mut command), stderr };
        let deadline = Instant::now() + PATIENCE;
        while !this.said()?.contains("listening on") {
            if Instant::now() > deadline {
                bail!("tcpdump does not start: {}", this.said()?);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(this)
    }

    fn said(&self) -> Result<String> {
        fs::read_to_string(self.stderr.path()).context("cannot read tcpdump's output")
    }
}

impl Watcher for Tcpdump {
    fn name(&self) -> &'static str {
        "tcpdump"
    }

    fn cpu(&self) -> Result<Cpu> {
        cpu(self.process.id())
    }

    /// SIGUSR1 makes it print its counts and continue.
    fn seen(&self, _packets: u64) -> Result<Seen> {
        // First it processes the packets in its buffer.
        thread::sleep(Duration::from_secs(1));
        self.process.signal(libc::SIGUSR1);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.said()?;
            if let Some(seen) = said.lines().rev().find_map(tcpdump_counts) {
                return Ok(seen);
            }
            if Instant::now() > deadline {
                bail!("tcpdump does not print its counts: {said}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// `tcpdump: 5 packets captured, 6 packets received by filter, 1 packet dropped by kernel`
fn tcpdump_counts(line: &str) -> Option<Seen> {
    let number_before = |words: &str| {
        let (before, _) = line.split_once(words)?;
        before.trim_end_matches('s').trim_end_matches(" packet").rsplit(' ').next()?.parse::<u64>().ok()
    };
    let analysed = number_before(" captured")?;
    let lost = number_before(" dropped by kernel")?;
    Some(Seen { counted: analysed, analysed, lost })
}

/// proc_pid_stat(5): the 14th and 15th field, in ticks. The kernel knows the sum of both to the
/// nanosecond, so it is split in their proportion.
fn cpu(process: u32) -> Result<Cpu> {
    let path = format!("/proc/{process}/stat");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}: the watcher has ended"))?;
    // The second field is a name in parentheses, which may contain any character.
    let behind_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = behind_name.split_whitespace().skip(11).map(|field| field.parse::<u64>().unwrap_or(0));
    let (user, system) = (fields.next().unwrap_or(0), fields.next().unwrap_or(0));
    let total = measure::cpu_time(process)?;
    let user = total.mul_f64(user as f64 / (user + system).max(1) as f64);
    Ok(Cpu { user, system: total.saturating_sub(user) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_tcpdump_are_read_from_its_line() {
        let line =
            "tcpdump: 1500 packets captured, 1600 packets received by filter, 1 packet dropped by kernel";
        let seen = tcpdump_counts(line).expect("numbers");
        assert_eq!((seen.analysed, seen.lost), (1500, 1));
        assert!(tcpdump_counts("tcpdump: listening on lo, link-type EN10MB (Ethernet)").is_none());
    }

    #[test]
    fn the_cpu_time_of_a_process_is_that_of_the_kernel() {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(100) {}
        let cpu = cpu(std::process::id()).expect("this process runs");
        assert!(cpu.user + cpu.system >= Duration::from_millis(10));
        assert_ne!((cpu.user + cpu.system).subsec_nanos() % 10_000_000, 0, "more exact than ticks");
    }
}
