//! The image watches one end of a veth pair in a network namespace, with the four capabilities alone.
//!
//! Engines differ in the capabilities that they know (Docker 20.10 knows neither CAP_BPF nor CAP_PERFMON), but all leave the
//! container to runc. So the test gives runc the file system of the image, and what an engine would ask of it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testbed::{Namespace, Need, Process, Veth, http};

use super::engine::Engine;
use super::image::IMAGE;
use crate::steps::StepOutcome;
use crate::{command, dist, workspace};

/// What live capture needs, docs/live.md.
const CAPABILITIES: [&str; 4] = ["CAP_BPF", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_PERFMON"];

/// The agent's address in its namespace.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);

/// Longest time of the agent until it has loaded its programs, and until it has counted what was sent.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn check(engine: &Engine) -> Result<StepOutcome> {
    if let Some(reason) = testbed::missing(&[Need::Namespaces, Need::Program("runc")]) {
        return Ok(StepOutcome::Skipped(reason));
    }
    let bundle = tempfile::tempdir_in(workspace::target()?).context("cannot create a directory")?;
    unpack(engine, &bundle.path().join("rootfs"))?;
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).create();
    let user =
        command::output(engine.docker().args(["image", "inspect", "--format={{.Config.User}}", IMAGE]))?;
    let config = config(&watched, &user, &["pktvisord", pair.right.name()])?;
    fs::write(bundle.path().join("config.json"), config.to_string()).context("cannot write config.json")?;
    let container = RunningContainer::start(bundle.path())?;
    http::wait_until_ok(&watched, SERVER, "/healthz", PATIENCE);
    let app = &http::json(&watched, SERVER, "/api/v1/metrics/app")["app"];
    println!("mode {}, {}", app["capture"]["mode"], app["capture"]);
    ensure!(app["capture"]["mode"] == "inline", "it does not capture with its kernel programs: {app}");
    container.check_user()?;
    let sent = send(&pair.left)?;
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let app = &http::json(&watched, SERVER, "/api/v1/metrics/app")["app"];
        if app["ledger"]["counted"].as_u64() == Some(sent) {
            println!("{sent} packets sent and counted");
            return Ok(StepOutcome::Passed);
        }
        ensure!(std::time::Instant::now() < deadline, "{sent} packets were sent, and it counts {app}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The file system of the image, with the capabilities of its files.
fn unpack(engine: &Engine, target: &Path) -> Result<()> {
    fs::create_dir(target).with_context(|| format!("cannot create {}", target.display()))?;
    let id = command::output(engine.docker().args(["create", IMAGE]))?;
    let mut export = engine.docker().args(["export", id.trim()]).stdout(Stdio::piped()).spawn()?;
    let stream = export.stdout.take().context("the export has no output")?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--same-owner", "--xattrs", "--xattrs-include=*", "--directory"]);
    command::run(tar.arg(target).stdin(stream))?;
    ensure!(export.wait()?.success(), "docker export failed");
    command::run(engine.docker().args(["rm", id.trim()]).stdout(Stdio::null()))
}

/// The configuration of the container (the runtime specification of the Open Container Initiative), as Docker writes it for
/// `--cap-drop ALL --cap-add ...` and a user that is not root: the capabilities bound what the program's file may give.
fn config(namespace: &Namespace, user: &str, words: &[&str]) -> Result<Value> {
    let (user, group) = user.trim().split_once(':').context("the image names no user and group")?;
    let (user, group): (u32, u32) = (user.parse()?, group.parse()?);
    Ok(json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": user, "gid": group },
            "args": words,
            "cwd": "/",
            "env": ["PATH=/usr/local/bin"],
            "capabilities": { "bounding": CAPABILITIES },
        },
        "root": { "path": "rootfs", "readonly": true },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] },
        ],
        "linux": {
            "namespaces": [
                { "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" },
                { "type": "network", "path": format!("/run/netns/{}", namespace.name()) },
            ],
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }))
}

/// A container of runc; deleted when dropped.
struct RunningContainer {
    /// runc, which stays as the parent of the agent.
    process: Process,
    name: String,
}

impl RunningContainer {
    fn start(bundle: &Path) -> Result<Self> {
        let name = format!("pktvisor-test-{}", std::process::id());
        let mut runc = Command::new("runc");
        runc.args(["run", "--bundle"]).arg(bundle).arg(&name).stdin(Stdio::null());
        Ok(Self { process: Process::spawn(&mut runc), name })
    }

    /// The agent's own process is not root's, and has no more capabilities than the four.
    fn check_user(&self) -> Result<()> {
        let state = command::output(Command::new("runc").args(["state", &self.name]))?;
        let state: Value = serde_json::from_str(&state).context("runc prints no state")?;
        let status = fs::read_to_string(format!("/proc/{}/status", state["pid"]))
            .with_context(|| format!("cannot read the status of the agent, {state}"))?;
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        ensure!(!field("Uid:").split_whitespace().any(|id| id == "0"), "the agent runs as root: {status}");
        let bounding = u64::from_str_radix(field("CapBnd:"), 16).context("no CapBnd")?;
        ensure!(bounding.count_ones() == 4, "other capabilities than the four: {bounding:x}");
        Ok(())
    }
}

impl Drop for RunningContainer {
    fn drop(&mut self) {
        // It may have ended by itself.
        command::succeeds(Command::new("runc").args(["delete", "--force", &self.name]));
        self.process.wait(PATIENCE);
    }
}

/// Sends the bundled capture; returns the number of its packets.
fn send(from: &testbed::End) -> Result<u64> {
    let shipped = dist::directory()?.join("pcap-replay");
    let program = if shipped.exists() {
        shipped
    } else {
        command::run(&mut command::cargo(["build", "--release", "-p", "pcap-replay"]))?;
        workspace::release_binary("pcap-replay")?
    };
    let mut sender = from.namespace().command(program);
    sender.args(["--interface", from.name(), "--pps", "10000"]);
    let line = command::output(sender.arg(workspace::root().join(workspace::DEMO_CAPTURE)))?;
    let packets = line.strip_prefix("sent ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    packets.with_context(|| format!("pcap-replay says {line}"))
}
