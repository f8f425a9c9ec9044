//! The binary with no more than it needs, as nobody, and what it still has once it captures.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use pktvisor_capture::kernel::object;
use pktvisor_capture::privileges::Capability;
use testbed::{FrameSocket, Namespace, Need, Process, Veth, http};

/// What all modes together need.
const FOUR: &str = "+bpf,+net_admin,+net_raw,+perfmon";

const SERVER: &str = "127.0.0.1:10853";

/// A namespace whose one interface has its other end in another.
struct Network {
    pair: testbed::VethPair,
    other: Namespace,
    watched: Namespace,
    sender: FrameSocket,
}

impl Network {
    fn new() -> Self {
        let (other, watched) = (Namespace::new(), Namespace::new());
        Self::between(other, watched)
    }

    fn between(other: Namespace, watched: Namespace) -> Self {
        let pair = Veth::new(&other, &watched).names("pkvother", "pkvwatched").create();
        let sender = FrameSocket::open(&other, "pkvother");
        Self { pair, other, watched, sender }
    }

    /// The same with new interfaces, while the agent runs.
    fn plugged_again(self) -> Self {
        let Self { pair, other, watched, sender } = self;
        drop((sender, pair));
        Self::between(other, watched)
    }

    /// Until the agent sees `pkvwatched`, new or not, in this state.
    fn wait_for_state(&self, state: &str) {
        // What it was before is seen at once.
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        loop {
            let app = self.app();
            let interfaces = app["capture"]["interfaces"].as_array().unwrap();
            let is_there = |interface: &serde_json::Value| {
                interface["name"] == "pkvwatched" && interface["state"] == state
            };
            if interfaces.iter().any(is_there) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{app}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The agent as an ordinary user with these capabilities, such as `+bpf,+net_admin`, once it watches
    /// `watched`: loading programs takes a while.
    fn agent(&self, capabilities: &str, words: &[&str], watched: &str) -> Process {
        self.agent_limited(None, capabilities, words, watched)
    }

    /// Likewise, with a limit of prlimit(1).
    fn agent_limited(
        &self,
        limit: Option<&str>,
        capabilities: &str,
        words: &[&str],
        watched: &str,
    ) -> Process {
        let mut command = self.watched.command(if limit.is_some() { "prlimit" } else { "setpriv" });
        if let Some(limit) = limit {
            command.args([limit, "setpriv"]);
        }
        let capabilities = format!("-all,{capabilities}");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.args([
            "--inh-caps",
            &capabilities,
            "--ambient-caps",
            &capabilities,
            "--bounding-set",
            &capabilities,
        ]);
        command.arg(env!("CARGO_BIN_EXE_pktvisord")).args(words).env_remove("RUST_LOG");
        let agent = Process::spawn(&mut command);
        http::wait_until_ok(&self.watched, server(), "/healthz", Duration::from_secs(30));
        self.wait_for_interface(watched);
        agent
    }

    /// Until the agent watches the interface.
    fn wait_for_interface(&self, name: &str) {
        let began = Instant::now();
        while !self.app()["capture"]["interfaces"].to_string().contains(name) {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", self.app());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn app(&self) -> serde_json::Value {
        http::json(&self.watched, server(), "/api/v1/metrics/app")["app"].clone()
    }

    /// Sends frames and waits until the agent has counted them.
    fn count(&self, frames: u64) {
        let mut frame = vec![0xff; 60];
        frame[12..14].copy_from_slice(&[0x88, 0xb5]);
        let before = self.app()["ledger"]["seen"].as_u64().unwrap();
        for _ in 0..frames {
            self.sender.send(&frame);
        }
        let began = Instant::now();
        while self.app()["ledger"]["seen"].as_u64().unwrap() < before + frames {
            assert!(began.elapsed() < Duration::from_secs(5), "{}", self.app());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn server() -> SocketAddr {
    SERVER.parse().unwrap()
}

/// Name, effective and permitted capabilities of each thread, which must have no way to more.
fn threads(agent: &Process) -> Vec<(String, u64, u64)> {
    let tasks = fs::read_dir(format!("/proc/{}/task", agent.id())).unwrap();
    tasks
        .map(|task| {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let field = |name: &str| {
                let line = status.lines().find(|line| line.starts_with(name)).unwrap();
                line.split_whitespace().nth(1).unwrap().to_owned()
            };
            let mask = |name| u64::from_str_radix(&field(name), 16).unwrap();
            assert_eq!(
                (mask("CapInh:"), mask("CapAmb:"), field("NoNewPrivs:").as_str()),
                (0, 0, "1"),
                "{status}"
            );
            (field("Name:"), mask("CapEff:"), mask("CapPrm:"))
        })
        .collect()
}

/// Whether the binary can be run by an ordinary user.
fn is_reachable() -> bool {
    let mut path = Path::new(env!("CARGO_BIN_EXE_pktvisord")).ancestors();
    path.all(|path| {
        fs::metadata(path).is_ok_and(|metadata| {
            use std::os::unix::fs::PermissionsExt;
            metadata.permissions().mode() & 0o005 != 0
        })
    })
}

/// Why this cannot be tried here.
fn obstacle(needs_programs: bool) -> Option<&'static str> {
    if !is_reachable() {
        return Some("the binary lies where an ordinary user cannot run it");
    }
    (needs_programs && object::embedded().is_none()).then_some("this build has no kernel programs")
}

/// That the thread which attaches has these capabilities, and no other has any.
fn assert_kept_by_one(agent: &Process, kept: &[Capability]) {
    let kept = kept.iter().fold(0, |mask, capability| mask | capability.bitmask());
    let threads = threads(agent);
    assert!(threads.len() >= 4 && threads.iter().any(|(name, ..)| name == "interfaces"), "{threads:?}");
    for (name, effective, permitted) in threads {
        let expected = if name == "interfaces" { kept } else { 0 };
        assert_eq!((effective, permitted), (expected, expected), "{name}");
    }
}

#[test]
fn four_capabilities_are_enough_for_inline_and_one_thread_keeps_what_it_takes_to_attach_again() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(true) {
        return testbed::tell_skipped(reason);
    }
    let network = Network::new();
    let mut agent = network.agent(FOUR, &["pkvwatched", "--mode", "inline"], "pkvwatched");
    assert_eq!(network.app()["capture"]["mode"], "inline");
    network.count(100);
    assert_kept_by_one(&agent, &[Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON]);
    // They are used.
    let network = network.plugged_again();
    network.wait_for_state("up");
    network.count(50);
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(Duration::from_secs(10)).success());
}

#[test]
fn sys_admin_stands_for_the_capabilities_that_older_container_engines_do_not_know() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(true) {
        return testbed::tell_skipped(reason);
    }
    const THREE: &str = "+sys_admin,+net_admin,+net_raw";
    for (words, watched) in
        [(["pkvwatched", "--mode", "inline"], "pkvwatched"), (["any", "--mode", "inline"], "pkvwatched")]
    {
        let network = Network::new();
        let mut agent = network.agent(THREE, &words, watched);
        network.count(100);
        assert_kept_by_one(&agent, &[Capability::CAP_SYS_ADMIN, Capability::CAP_NET_ADMIN]);
        let network = network.plugged_again();
        network.wait_for_state("up");
        network.count(50);
        agent.signal(libc::SIGTERM);
        assert!(agent.wait(Duration::from_secs(10)).success());
    }
}

#[test]
fn four_capabilities_are_enough_for_tap_with_what_memory_may_be_locked() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"), Need::Program("prlimit"));
    if let Some(reason) = obstacle(true) {
        return testbed::tell_skipped(reason);
    }
    let network = Network::new();
    let words = ["pkvwatched", "--mode", "tap"];
    let mut agent = network.agent_limited(Some("--memlock=6291456"), FOUR, &words, "pkvwatched");
    assert_eq!(network.app()["capture"]["mode"], "tap");
    let notes = network.app()["capture"]["notes"].to_string();
    assert!(notes.contains("buffers of 2048 frames") && notes.contains("LimitMEMLOCK"), "{notes}");
    network.count(100);
    use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON};
    assert_kept_by_one(&agent, &[CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON]);
    let network = network.plugged_again();
    network.wait_for_state("up");
    network.count(50);
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(Duration::from_secs(10)).success());
}

#[test]
fn for_interfaces_to_come_one_thread_keeps_what_it_takes_to_attach() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(true) {
        return testbed::tell_skipped(reason);
    }
    let network = Network::new();
    let agent = network.agent(FOUR, &["any", "--mode", "inline"], "pkvwatched");
    network.count(100);
    assert_kept_by_one(&agent, &[Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON]);
    // They are used.
    network.watched.ip(&["link", "add", "pkvlate", "type", "veth", "peer", "pkvpeer"]);
    network.watched.ip(&["link", "set", "pkvlate", "up"]);
    network.wait_for_interface("pkvlate");
}

#[test]
fn a_packet_socket_takes_one_capability_and_keeps_none() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(false) {
        return testbed::tell_skipped(reason);
    }
    let network = Network::new();
    for words in [&["pkvwatched"][..], &["any"], &["pkvwatched", "--mode", "afpacket"]] {
        let mut agent = network.agent("+net_raw", words, words[0]);
        assert_eq!(network.app()["capture"]["mode"], "afpacket");
        network.count(100);
        let threads = threads(&agent);
        assert!(threads.iter().all(|(_, effective, permitted)| effective | permitted == 0), "{threads:?}");
        // Why it is not the default is told.
        let notes = network.app()["capture"]["notes"].to_string();
        assert_eq!(
            notes.contains("without CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN"),
            words.len() == 1,
            "{notes}"
        );
        agent.signal(libc::SIGTERM);
        assert!(agent.wait(Duration::from_secs(10)).success());
    }
}

#[test]
fn without_any_capability_the_error_says_how_to_grant_them() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(false) {
        return testbed::tell_skipped(reason);
    }
    let network = Network::new();
    let mut command = network.watched.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all"]);
    command.args(["--bounding-set", "-all", env!("CARGO_BIN_EXE_pktvisord"), "pkvwatched"]);
    let output = command.env_remove("RUST_LOG").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let line = "setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep /";
    assert!(text.contains(line) && text.contains("AmbientCapabilities=CAP_BPF CAP_PERFMON"), "{text}");
    assert!(!text.contains("listening"), "{text}");
    // In a container it is the engine that grants them.
    let output = command.env("container", "podman").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("--cap-add BPF") && text.contains("--cap-add SYS_ADMIN"), "{text}");
}
