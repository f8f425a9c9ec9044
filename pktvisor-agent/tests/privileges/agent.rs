//! The binary as an ordinary user with the capabilities that it needs, and those that it keeps
//! while it captures.

use std::fs;
use std::path::Path;
use std::time::Duration;

use pktvisor_capture::kernel::object;
use pktvisor_capture::privileges::Capability;
use testbed::{Need, Process};

use crate::network::Network;

/// What all modes together need.
const FOUR: &str = "+bpf,+net_admin,+net_raw,+perfmon";

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

/// What a test needs besides namespaces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    BinaryOnly,
    Programs,
}

/// Why a test is skipped.
fn obstacle(needs: Needs) -> Option<&'static str> {
    if !is_reachable() {
        return Some("the binary lies where an ordinary user cannot run it");
    }
    (needs == Needs::Programs && object::embedded().is_none()).then_some("this build has no kernel programs")
}

/// Asserts that the thread that attaches has these capabilities, and no other thread has any.
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
fn four_capabilities_are_enough_for_inline_and_one_thread_keeps_those_to_attach_again() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(Needs::Programs) {
        return testbed::report_skipped(reason);
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
    if let Some(reason) = obstacle(Needs::Programs) {
        return testbed::report_skipped(reason);
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
fn four_capabilities_are_enough_for_tap_within_the_limit_of_locked_memory() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"), Need::Program("prlimit"));
    if let Some(reason) = obstacle(Needs::Programs) {
        return testbed::report_skipped(reason);
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
fn with_any_one_thread_keeps_the_capabilities_to_attach_to_new_interfaces() {
    testbed::require!(Need::Namespaces, Need::Program("setpriv"));
    if let Some(reason) = obstacle(Needs::Programs) {
        return testbed::report_skipped(reason);
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
    if let Some(reason) = obstacle(Needs::BinaryOnly) {
        return testbed::report_skipped(reason);
    }
    let network = Network::new();
    for words in [&["pkvwatched"][..], &["any"], &["pkvwatched", "--mode", "afpacket"]] {
        let mut agent = network.agent("+net_raw", words, words[0]);
        assert_eq!(network.app()["capture"]["mode"], "afpacket");
        network.count(100);
        let threads = threads(&agent);
        assert!(threads.iter().all(|(_, effective, permitted)| effective | permitted == 0), "{threads:?}");
        // The note says why inline is not used.
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
    if let Some(reason) = obstacle(Needs::BinaryOnly) {
        return testbed::report_skipped(reason);
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
    assert!(text.contains("a packet socket without CAP_NET_RAW"), "{text}");
    // In a container it is the engine that grants them.
    let output = command.env("container", "podman").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("--cap-add BPF") && text.contains("--cap-add SYS_ADMIN"), "{text}");
}
