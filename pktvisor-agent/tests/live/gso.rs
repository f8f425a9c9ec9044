//! Super-packets count as the packets that they are split into, and were merged from.

use std::process::Stdio;
use std::time::Duration;

use testbed::{End, InterfaceStatistics, Namespace, Need, Process};

use crate::agent::{Agent, Settled, assert_balanced, require_kernel_programs};
use crate::network::{HOST, Network, PEER};

const ETHERNET_HEADER_BYTES: u64 = 14;

#[test]
fn tcp_super_packets_are_counted_as_the_segments_that_the_interface_counts() {
    require_kernel_programs!(Need::Program("iperf3"), Need::Program("ethtool"));
    let network = Network::host_with(|veth| veth.with_offloads());
    let interface = network.interface();
    // The stack makes super-packets nevertheless, and splits them after tcx and before the
    // interface counts them.
    interface.ethtool("-K", &["tso", "off"]);
    let agent = Agent::start(&network.watched, &["--mode", "inline", interface.name()]);
    let before = interface.statistics();
    let mut iperf = network.peer.command("iperf3");
    let _server = Process::spawn(iperf.args(["-s", "-1"]).stdout(Stdio::null()));
    send_by_tcp(&network.watched, PEER[0]);
    let (settled, after) = at_rest(&agent, interface, &before);
    let packets = &settled.period.packets;
    assert_eq!(packets.sent, after.tx_packets - before.tx_packets);
    assert_eq!(packets.bytes_out, after.tx_bytes - before.tx_bytes);
    assert_eq!(packets.received, after.rx_packets - before.rx_packets);
    assert_balanced(&settled.ledger());
}

/// The far end sends single packets. The watched end merges them before tcx (GRO), and counts them
/// before that; a veth that merges counts the bytes behind the Ethernet header (`veth_xdp_rcv`).
#[test]
fn merged_packets_are_counted_at_tcx_as_the_packets_that_the_interface_received() {
    require_kernel_programs!(Need::Program("iperf3"), Need::Program("ethtool"));
    let network = Network::host_with(|veth| veth.with_offloads());
    let interface = network.interface();
    network.peer().ethtool("-K", &["tso", "off", "gso", "off"]);
    interface.ethtool("-K", &["tso", "off", "gro", "on"]);
    let agent = Agent::start(&network.watched, &["--hook", "tcx", interface.name()]);
    let before = interface.statistics();
    let mut iperf = network.watched.command("iperf3");
    let _server = Process::spawn(iperf.args(["-s", "-1"]).stdout(Stdio::null()));
    send_by_tcp(&network.peer, HOST[0]);
    let (settled, after) = at_rest(&agent, interface, &before);
    let packets = &settled.period.packets;
    let received = after.rx_packets - before.rx_packets;
    let bytes_received = after.rx_bytes - before.rx_bytes + received * ETHERNET_HEADER_BYTES;
    assert_eq!((packets.received, packets.bytes_in), (received, bytes_received));
    assert_eq!(packets.sent, after.tx_packets - before.tx_packets);
    assert_eq!(packets.deep_samples, packets.total);
    assert_eq!(settled.ledger().dns_packets, 0);
    assert!(received > 100_000, "{received}");
    assert_balanced(&settled.ledger());
}

/// The counters of agent and interface after the last packet: a connection lasts longer than its
/// program.
fn at_rest(agent: &Agent, interface: &End, before: &InterfaceStatistics) -> (Settled, InterfaceStatistics) {
    for _ in 0..20 {
        let now = interface.statistics();
        let settled = agent.settled(now.tx_packets - before.tx_packets);
        if interface.statistics() == now {
            return (settled, now);
        }
    }
    panic!("packets do not stop to come");
}

/// Waits until the server listens, which it does not report.
fn send_by_tcp(from: &Namespace, to: &str) {
    for _ in 0..100 {
        let mut client = from.command("iperf3");
        client.args(["-c", to, "-n", "200M"]).stdout(Stdio::null()).stderr(Stdio::null());
        if client.status().unwrap().success() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("iperf3 reaches no server");
}
