//! Signals that do not end a live capture.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use testbed::{Namespace, Need, Veth};

use crate::agent::{Agent, require_kernel_programs};

#[test]
fn sighup_opens_the_geo_databases_again_and_capture_goes_on() {
    require_kernel_programs!();
    sighup_opens_them_again(&["--mode", "inline"]);
}

#[test]
fn sighup_opens_the_geo_databases_of_a_packet_socket_again_and_capture_goes_on() {
    testbed::require!(Need::Namespaces);
    sighup_opens_them_again(&["--mode", "afpacket"]);
}

fn sighup_opens_them_again(mode: &[&str]) {
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/faults/asn-u16.mmdb");
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).create();
    let words = ["--geo-asn", database.to_str().unwrap(), pair.right.name()];
    let agent = Agent::start(&watched, &[mode, &words].concat());
    agent.signal(libc::SIGHUP);
    wait_for(&agent, "geo database opened again");
    agent.signal(libc::SIGPIPE);
    agent.signal(libc::SIGUSR1);
    wait_for(&agent, "SIGUSR1 has no meaning");
    agent.signal(libc::SIGUSR2);
    wait_for(&agent, "SIGUSR2 has no meaning");
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
}

fn wait_for(agent: &Agent, message: &str) {
    for _ in 0..500 {
        if agent.stderr().contains(message) {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("no {message:?} in {}", agent.stderr());
}

#[test]
fn sighup_without_geo_databases_is_logged_and_capture_goes_on() {
    testbed::require!(Need::Namespaces);
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).create();
    let agent = Agent::start(&watched, &["--mode", "afpacket", pair.right.name()]);
    agent.signal(libc::SIGHUP);
    wait_for(&agent, "SIGHUP: there are no geo databases to open again");
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
}
