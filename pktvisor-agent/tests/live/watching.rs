//! What clients look into: a focus, the last seconds, and packets, of several worker threads.

use std::io::Read as _;
use std::process::Stdio;

use capture_file::Capture;
use pktvisor_api::{Period, PeriodDocument};
use testbed::{Need, Process};

use crate::agent::{Agent, require_kernel_programs};
use crate::dns::{Dnsperf, NameServer};
use crate::network::{HOST, Network, PEER};

fn read(agent: &Agent, path: &str) -> Period {
    let document: PeriodDocument = serde_json::from_value(agent.json(path)).unwrap();
    document.into_values().next().unwrap()
}

#[test]
fn a_focus_and_the_last_seconds_count_as_dnsperf_does() {
    require_kernel_programs!(Need::Program("knotd"), Need::Program("dnsperf"));
    let network = Network::host();
    let server = NameServer::start(&network.watched);
    let words = ["--mode", "inline", "--threads", "2", network.interface().name()];
    let agent = Agent::start(&network.watched, &words);
    let client = format!("/api/v1/focus?client={}", PEER[0]);
    let other = format!("/api/v1/focus?client={}", HOST[0]);
    let nxdomain = "/api/v1/focus?rcode=NXDOMAIN&zone=example.test";
    for path in [&client, &other, nxdomain] {
        assert_eq!(read(&agent, path).packets.total, 0);
    }
    let asked = Dnsperf::run(&network.peer, &server, &["-n", "5", "-c", "4"]);
    assert_eq!((asked.lost, asked.completed), (0, asked.sent), "{asked:?}");
    let settled = agent.settled(asked.sent + asked.completed).period;
    let focus = read(&agent, &client);
    assert_eq!((focus.packets.received, focus.packets.sent), (asked.sent, asked.completed));
    assert_eq!(focus.packets.bytes_total, settled.packets.bytes_total);
    assert_eq!(
        (focus.dns.wire_packets.queries, focus.dns.wire_packets.replies),
        (asked.sent, asked.completed)
    );
    let counts = focus.dns.xact.counts;
    assert_eq!((counts.total, counts.timed_out, counts.orphans), (asked.completed, 0, 0));
    assert_eq!(focus.dns.xact.inbound.quantiles_us, settled.dns.xact.inbound.quantiles_us);
    assert_eq!(focus.dns.cardinality.qname, settled.dns.cardinality.qname);
    assert_eq!(read(&agent, &other).packets.total, 0);
    assert_eq!(read(&agent, nxdomain).packets.total, asked.nxdomain);

    // The agent is younger than a minute, or has rotated once.
    let last = read(&agent, "/api/v1/metrics/rolling/60");
    assert_eq!((last.packets.received, last.packets.sent), (asked.sent, asked.completed));
    assert_eq!(last.dns.wire_packets.queries, asked.sent);
    assert_eq!(last.dns.xact.inbound.total, asked.completed);
}

#[test]
fn a_stream_has_the_packets_of_all_worker_threads() {
    require_kernel_programs!(Need::Program("knotd"), Need::Program("dnsperf"), Need::Program("curl"));
    let network = Network::host();
    let server = NameServer::start(&network.watched);
    let words = ["--mode", "inline", "--threads", "2", "--allow-packets", network.interface().name()];
    let agent = Agent::start(&network.watched, &words);
    let url = "http://127.0.0.1:10853/api/v1/packets?qtype=AAAA&limit=500&seconds=20";
    let mut command = network.watched.command("curl");
    let mut stream = Process::spawn(command.args(["-sN", url]).stdout(Stdio::piped()));
    let mut stdout = stream.child().stdout.take().unwrap();
    let mut begin = [0; 4];
    stdout.read_exact(&mut begin).unwrap();
    let asked = Dnsperf::run(&network.peer, &server, &["-n", "5", "-c", "4"]);
    assert_eq!((asked.lost, asked.completed), (0, asked.sent), "{asked:?}");
    let mut bytes = begin.to_vec();
    stdout.read_to_end(&mut bytes).unwrap();
    let mut capture = Capture::from_reader(std::io::Cursor::new(bytes)).unwrap();
    let mut count = 0;
    while let Some(packet) = capture.next_packet().unwrap() {
        assert!(packet.data.len() as u32 == packet.wire_len && packet.link_type == 1);
        count += 1;
    }
    assert_eq!(count, 500);
    assert!(capture.warning().is_none());
    drop(agent);
}
