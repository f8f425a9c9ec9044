//! The watched server: NSD, authoritative for one zone, and the queries for it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use testbed::{End, Process};

/// Existing names. The client asks for a tenth as many more, which do not exist.
const NAMES: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// NSD on the first address of an interface.
pub(super) struct NameServer {
    _process: Process,
    queries: PathBuf,
    _directory: TempDir,
}

impl NameServer {
    pub(super) fn start(interface: &End) -> Result<Self> {
        let directory = tempfile::tempdir().context("cannot create a temporary directory")?;
        let path = directory.path();
        let write = |name: &str, text: String| {
            fs::write(path.join(name), text).with_context(|| format!("cannot write {name}"))
        };
        write("nsd.conf", configuration(path, &interface.address(0).to_string()))?;
        write("zone", zone())?;
        write("queries", queries())?;
        let mut command = interface.namespace().command("nsd");
        // -d: it stays in the foreground.
        command.arg("-d").arg("-c").arg(path.join("nsd.conf"));
        let mut process = Process::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
        let deadline = Instant::now() + PATIENCE;
        while !answers(interface) {
            if process.child().try_wait()?.is_some() || Instant::now() > deadline {
                bail!("nsd does not start");
            }
            sleep(Duration::from_millis(50));
        }
        Ok(Self { _process: process, queries: path.join("queries"), _directory: directory })
    }

    /// The file of queries for dnsperf.
    pub(super) fn queries(&self) -> &Path {
        &self.queries
    }
}

/// Whether the server answers a query.
fn answers(interface: &End) -> bool {
    let mut dnsperf: Command = interface.namespace().command("dnsperf");
    let address = interface.address(0).to_string();
    let output = dnsperf
        .args(["-s", &address, "-n", "1", "-t", "0.2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                std::io::Write::write_all(&mut stdin, b"host1.example.test A\n")?;
            }
            child.wait_with_output()
        });
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("NOERROR 1 "))
}

/// One process answers. Without response rate limiting, which would drop most of the answers.
fn configuration(path: &Path, address: &str) -> String {
    let path = path.display();
    format!(
        "server:\n  ip-address: {address}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
           zonesdir: \"{path}\"\n  database: \"\"\n  pidfile: \"{path}/pid\"\n  xfrdfile: \"{path}/xfrd\"\n  \
           zonelistfile: \"{path}/zones\"\n  rrl-ratelimit: 0\n\
         remote-control:\n  control-enable: no\n\
         zone:\n  name: example.test\n  zonefile: zone\n"
    )
}

fn zone() -> String {
    let mut zone =
        "$ORIGIN example.test.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 10.53.0.1\n"
            .to_owned();
    for n in 0..NAMES {
        let _ = writeln!(zone, "host{n} A 198.51.{}.{}", n / 256, n % 256);
    }
    zone
}

fn queries() -> String {
    (0..NAMES + NAMES / 10).fold(String::new(), |mut text, n| {
        // In an order in which neighbours differ.
        let _ = writeln!(text, "host{}.example.test A", n * 7919 % (NAMES + NAMES / 10));
        text
    })
}
