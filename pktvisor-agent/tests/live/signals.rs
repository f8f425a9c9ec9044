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
    for _ in 0..500 {
        if agent.stderr().contains("geo database opened again") {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    assert!(agent.stderr().contains("geo database opened again"), "{}", agent.stderr());
    for signal in [libc::SIGUSR1, libc::SIGUSR2, libc::SIGPIPE] {
        agent.signal(signal);
    }
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
    assert!(stderr.contains("SIGUSR1 has no meaning"), "{stderr}");
}

#[test]
fn sighup_without_geo_databases_is_logged_and_capture_goes_on() {
    testbed::require!(Need::Namespaces);
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).create();
    let agent = Agent::start(&watched, &["--mode", "afpacket", pair.right.name()]);
    agent.signal(libc::SIGHUP);
    for _ in 0..500 {
        if agent.stderr().contains("SIGHUP") {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
    assert!(stderr.contains("SIGHUP: there are no geo databases to open again"), "{stderr}");
}
