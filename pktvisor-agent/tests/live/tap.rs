//! Tap on a mirror port: a capture that is sent again counts the same as its file.

use crate::agent::{Agent, assert_balanced, require_kernel_programs, run};
use crate::compare::assert_counts_as_its_file;
use crate::network::Network;
use crate::traffic::{GENERATED_HOST, REAL_TIME, Trace, hostile_second, one_second};

fn assert_mirror_equals_file(trace: &Trace, queues: u32, threads: &str) {
    let network = Network::mirror(queues);
    let words = ["--mode", "tap", "--threads", threads, "-H", GENERATED_HOST, network.interface().name()];
    let agent = Agent::start(&network.watched, &words);
    let capture = agent.app().app.capture.unwrap();
    assert_eq!((capture.mode.name(), capture.zero_copy), ("tap", Some(false)), "a veth always copies");
    trace.send(network.peer(), queues, REAL_TIME);
    let settled = agent.settled(trace.packets);
    assert_counts_as_its_file(&settled, trace);
    assert_balanced(&settled.ledger());
    assert_eq!(settled.ledger().seen, trace.packets);
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
}

#[test]
fn a_mirrored_capture_counts_the_same_as_its_file() {
    require_kernel_programs!();
    assert_mirror_equals_file(&Trace::generated(one_second()), 1, "1");
    assert_mirror_equals_file(&Trace::generated(hostile_second()), 1, "1");
}

#[test]
fn a_capture_mirrored_over_four_queues_counts_the_same_as_its_file() {
    require_kernel_programs!();
    assert_mirror_equals_file(&Trace::generated(one_second()), 4, "1");
}

#[test]
fn a_mirrored_capture_with_several_worker_threads_counts_the_same_as_its_file() {
    require_kernel_programs!();
    assert_mirror_equals_file(&Trace::generated(one_second()), 4, "4");
    assert_mirror_equals_file(&Trace::generated(hostile_second()), 1, "3");
}

#[test]
fn an_interface_with_an_address_is_not_tapped_unless_forced() {
    require_kernel_programs!();
    let network = Network::host();
    let name = network.interface().name();
    let output = run(&network.watched, &["--mode", "tap", name]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("10.53.0.1") && stderr.contains("--force"), "{stderr}");
    let agent = Agent::start(&network.watched, &["--mode", "tap", "--force", name]);
    assert_eq!(agent.app().app.capture.unwrap().mode.name(), "tap");
}
