//! Super-packets count as the packets they become.

use std::process::Stdio;
use std::time::Duration;

use testbed::{End, InterfaceStatistics, Need, Process};

use crate::agent::{Agent, Settled, assert_balanced, require_kernel_programs};
use crate::network::{Network, PEER};

#[test]
fn tcp_super_packets_are_counted_as_the_interface_counts_their_segments() {
    require_kernel_programs!(Need::Program("iperf3"), Need::Program("ethtool"));
    let network = Network::host_with(|veth| veth.with_offloads());
    let interface = network.interface();
    // The stack makes super-packets all the same, and cuts them up behind tcx and before the interface counts.
    interface.ethtool("-K", &["tso", "off"]);
    let agent = Agent::start(&network.watched, &["--mode", "inline", interface.name()]);
    let before = interface.statistics();
    let mut iperf = network.peer.command("iperf3");
    let _server = Process::spawn(iperf.args(["-s", "-1"]).stdout(Stdio::null()));
    send_by_tcp(&network);
    let (settled, after) = at_rest(&agent, interface, &before);
    let packets = &settled.period.packets;
    assert_eq!(packets.sent, after.tx_packets - before.tx_packets);
    assert_eq!(packets.bytes_out, after.tx_bytes - before.tx_bytes);
    assert_eq!(packets.received, after.rx_packets - before.rx_packets);
    assert_balanced(&settled.ledger());
}

/// What agent and interface have counted once nothing comes any more: a connection goes on after its program has ended.
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

/// Until the server listens, which it does not tell.
fn send_by_tcp(network: &Network) {
    for _ in 0..100 {
        let mut client = network.watched.command("iperf3");
        client.args(["-c", PEER[0], "-n", "200M"]).stdout(Stdio::null()).stderr(Stdio::null());
        if client.status().unwrap().success() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("iperf3 reaches no server");
}
