//! Capture by packet socket, where there are no kernel programs: the same numbers.

use testbed::{Need, require};

use crate::agent::{Agent, assert_balanced};
use crate::compare::assert_counts_as_its_file;
use crate::network::Network;
use crate::traffic::{GENERATED_HOST, REAL_TIME, Trace, hostile_second, one_second};

/// Inline capture is held against the same file, so that the two agree.
#[test]
fn what_a_packet_socket_sees_counts_as_its_capture_does() {
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
