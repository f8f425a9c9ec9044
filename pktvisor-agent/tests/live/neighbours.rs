//! A foreign XDP program on the interface keeps its place.

use std::process::Command;

use serde_json::Value;
use testbed::{End, Need};

use crate::agent::{Agent, require_kernel_programs};
use crate::dns::{Dnsperf, NameServer};
use crate::network::Network;

/// Passes everything.
const PROGRAM: &str = r#"
__attribute__((section("xdp"), used)) int pass(void *context) { return 2; }
char name[] __attribute__((section("license"), used)) = "GPL";
"#;

/// Attaches a foreign XDP program in native mode.
fn occupy_xdp(end: &End) {
    let directory = tempfile::tempdir().unwrap();
    let (source, object) = (directory.path().join("pass.c"), directory.path().join("pass.o"));
    std::fs::write(&source, PROGRAM).unwrap();
    let mut clang = Command::new("clang");
    clang.args(["-O2", "-target", "bpf", "-c"]).arg(&source).arg("-o").arg(&object);
    assert!(clang.status().unwrap().success());
    end.namespace().ip(&[
        "link",
        "set",
        end.name(),
        "xdpdrv",
        "obj",
        &object.display().to_string(),
        "sec",
        "xdp",
    ]);
}

/// The number of the XDP program on the interface.
fn xdp_program(end: &End) -> Option<u64> {
    let links: Value =
        serde_json::from_str(&end.namespace().ip(&["-json", "-details", "link", "show", end.name()]))
            .unwrap();
    links[0]["xdp"]["prog"]["id"].as_u64()
}

#[test]
fn a_foreign_xdp_program_stays_and_every_packet_is_counted_behind_it() {
    require_kernel_programs!(Need::Program("clang"), Need::Program("knotd"), Need::Program("dnsperf"));
    let network = Network::host();
    let interface = network.interface();
    occupy_xdp(interface);
    let theirs = xdp_program(interface);
    assert!(theirs.is_some());
    let server = NameServer::start(&network.watched);
    let agent = Agent::start(&network.watched, &["--hook", "xdp", interface.name()]);
    let capture = agent.app().app.capture.unwrap();
    assert_eq!((capture.mode.name(), capture.hook.as_deref()), ("inline", Some("tcx")));
    assert!(
        capture.notes.iter().any(|note| note.contains("another program")),
        "it says why: {:?}",
        capture.notes
    );
    let asked = Dnsperf::run(&network.peer, &server, &["-n", "1", "-c", "2"]);
    let settled = agent.settled(2 * asked.sent);
    assert_eq!(settled.period.dns.xact.inbound.total, asked.completed);
    assert_eq!(settled.period.packets.total, 2 * asked.sent);
    assert_eq!(xdp_program(interface), theirs);
    agent.stop();
    assert_eq!(xdp_program(interface), theirs);
}
