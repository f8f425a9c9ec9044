//! Capture by packet socket, without kernel programs: the same numbers.

use testbed::{Need, require};

use crate::agent::{Agent, assert_balanced};
use crate::compare::assert_counts_as_its_file;
use crate::network::Network;
use crate::traffic::{GENERATED_HOST, REAL_TIME, Trace, hostile_second, one_second};

/// Inline capture is compared with the same file, so both modes agree.
#[test]
fn packets_count_the_same_by_a_packet_socket_and_from_their_capture() {
    require!(Need::Namespaces);
    for config in [one_second(), hostile_second()] {
        let trace = Trace::generated(config);
        let network = Network::mirror(1);
        let words = ["--mode", "afpacket", "-H", GENERATED_HOST, network.interface().name()];
        let agent = Agent::start(&network.watched, &words);
        assert_eq!(agent.app().app.capture.unwrap().mode.name(), "afpacket");
        trace.send(network.peer(), 1, REAL_TIME);
        let settled = agent.settled(trace.packets);
        assert_counts_as_its_file(&settled, &trace);
        assert_balanced(&settled.ledger());
    }
}
