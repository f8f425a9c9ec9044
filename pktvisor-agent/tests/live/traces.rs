//! A killed agent leaves nothing behind, and its end disturbs no traffic.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::Need;

use crate::agent::{Agent, require_kernel_programs};
use crate::dns::{Dnsperf, NameServer};
use crate::network::Network;

/// Numbers of one kind of kernel object (`link`, `prog`, `map`) that the process holds by file
/// descriptor.
fn held(process: u32, kind: &str) -> BTreeSet<u64> {
    let label = format!("{kind}_id:");
    let infos = fs::read_dir(format!("/proc/{process}/fdinfo")).unwrap().flatten();
    let texts = infos.filter_map(|info| fs::read_to_string(info.path()).ok());
    texts
        .flat_map(|text| {
            let numbers = text.lines().filter_map(|line| line.strip_prefix(&label)?.trim().parse().ok());
            numbers.collect::<Vec<u64>>()
        })
        .collect()
}

/// Numbers of all objects of a kind that the kernel knows.
fn existing(kind: &str) -> BTreeSet<u64> {
    let output = Command::new("bpftool").args(["--json", kind, "list"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    list.as_array().unwrap().iter().filter_map(|object| object["id"].as_u64()).collect()
}

#[test]
fn a_killed_agent_leaves_nothing_attached_and_no_query_is_lost() {
    require_kernel_programs!(Need::Program("bpftool"), Need::Program("knotd"), Need::Program("dnsperf"));
    let network = Network::host();
    let server = NameServer::start(&network.watched);
    let interface = network.interface().name().to_owned();
    let hooks = || network.watched.ip(&["-details", "link", "show", &interface]);
    let hooks_before = hooks();
    let mut agent = Agent::start(&network.watched, &["--mode", "inline", &interface]);
    let kinds = ["link", "prog", "map"];
    let held: Vec<_> = kinds.iter().map(|kind| held(agent.id(), kind)).collect();
    assert!(held[0].len() >= 2, "a link for each direction: {held:?}");
    for (kind, held) in kinds.iter().zip(&held) {
        assert!(held.is_subset(&existing(kind)), "{kind}: {held:?}");
    }

    std::thread::scope(|scope| {
        let asking =
            scope.spawn(|| Dnsperf::run(&network.peer, &server, &["-l", "2", "-c", "2", "-Q", "5000"]));
        std::thread::sleep(Duration::from_secs(1));
        agent.kill();
        let asked = asking.join().unwrap();
        assert_eq!((asked.lost, asked.completed), (0, asked.sent), "{asked:?}");
    });

    let deadline = Instant::now() + Duration::from_secs(10);
    for (kind, held) in kinds.iter().zip(&held) {
        while !held.is_disjoint(&existing(kind)) {
            assert!(Instant::now() < deadline, "left behind: {kind} {held:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    assert_eq!(hooks(), hooks_before);
}
