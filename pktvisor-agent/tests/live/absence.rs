//! A named interface that disappears and comes back, is renamed, or goes down: its counters, and
//! the notes of the agent.

use testbed::{FrameSocket, Namespace, Need, Veth, VethPair};

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::traffic::{frame, query_packet};

const HOST: [u8; 4] = [10, 53, 0, 1];
const NEW_HOST: [u8; 4] = [10, 53, 7, 1];

/// A cable that can be pulled out with its interfaces, and plugged in again.
struct Cable {
    peer: Namespace,
    watched: Namespace,
    pair: Option<VethPair>,
}

impl Cable {
    fn new() -> Self {
        Self { peer: Namespace::new(), watched: Namespace::new(), pair: None }
    }

    /// The interfaces are `pkvpeer` and `pkvwatched`, the latter with this address, if it has one.
    fn plug(&mut self, address: Option<&str>) {
        let veth = Veth::new(&self.peer, &self.watched).names("pkvpeer", "pkvwatched");
        self.pair = Some(veth.create());
        if let Some(address) = address {
            self.watched.ip(&["address", "add", address, "dev", "pkvwatched"]);
        }
    }

    fn pull(&mut self) {
        self.pair = None;
    }

    fn send_queries(&self, to: [u8; 4], count: u16) {
        let socket = FrameSocket::open(&self.peer, "pkvpeer");
        for id in 0..count {
            socket.send(&frame(&[], &query_packet([10, 53, 0, 2], to, id)));
        }
    }
}

/// Name and state of each interface.
fn states(agent: &Agent) -> Vec<(String, String)> {
    let capture = agent.app().app.capture.unwrap();
    capture.interfaces.into_iter().map(|interface| (interface.name, interface.state)).collect()
}

fn notes(agent: &Agent) -> String {
    agent.app().app.capture.unwrap().notes.join("\n")
}

fn wait_until(agent: &Agent, what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("not {what}: {:?}\n{}\n{}", states(agent), notes(agent), agent.stderr());
}

fn wait_for(agent: &Agent, name: &str, state: &str) {
    wait_until(agent, &format!("{name} {state}"), || states(agent) == [(name.to_owned(), state.to_owned())]);
}

/// In this mode an interface that is deleted and made again is watched again. The agent reports its
/// absence and its return.
fn comes_back(mode: &str) {
    let mut cable = Cable::new();
    cable.plug(None);
    let agent = Agent::start(&cable.watched, &["-H", "10.53.0.1", "pkvwatched", "--mode", mode]);
    wait_for(&agent, "pkvwatched", "up");
    cable.send_queries(HOST, 10);
    assert_eq!(agent.settled(10).period.packets.received, 10, "{mode}");
    assert_eq!(agent.health().0, 200);

    cable.pull();
    wait_for(&agent, "pkvwatched", "gone");
    let (status, body) = agent.health();
    assert!(
        status == 503 && body.contains("{\"error\":") && body.contains("pkvwatched is gone"),
        "{mode}: {body}"
    );
    assert!(notes(&agent).contains("pkvwatched is gone"), "{mode}: {}", notes(&agent));
    assert!(agent.stderr().contains("pkvwatched is gone"), "{mode}: {}", agent.stderr());

    cable.plug((mode != "tap").then_some("10.53.7.1/24"));
    wait_for(&agent, "pkvwatched", "up");
    assert_eq!(agent.health().0, 200, "{mode}");
    let host = if mode == "tap" { HOST } else { NEW_HOST };
    wait_until(&agent, "HOST", || mode == "tap" || agent.stderr().contains("10.53.7.1/32"));
    cable.send_queries(host, 7);
    let settled = agent.settled(17);
    assert_eq!(settled.period.packets.received, 17, "{mode}: {}", agent.stderr());
    assert_eq!(settled.ledger().seen, 17, "{mode}");
    assert_eq!(
        (settled.ledger().analysed, settled.ledger().pending),
        (17, 0),
        "{mode}: {:?}",
        settled.ledger()
    );
    assert_balanced(&settled.ledger());
    let notes = notes(&agent);
    assert!(notes.contains("was gone for") && !notes.contains("pkvwatched is gone"), "{mode}: {notes}");

    // Several times, and quickly.
    for _ in 0..3 {
        cable.pull();
        cable.plug(None);
    }
    wait_until(&agent, "back", || agent.stderr().matches("is watched again").count() >= 2);
    wait_for(&agent, "pkvwatched", "up");
    std::thread::sleep(std::time::Duration::from_millis(500));
    cable.send_queries(HOST, 3);
    let settled = agent.settled(20);
    assert_eq!(settled.period.dns.wire_packets.queries, 20, "{mode}: {}", agent.stderr());
    assert_balanced(&settled.ledger());
    let (status, stderr) = agent.stop();
    assert!(status.success() && stderr.contains("20 packets seen"), "{mode}: {stderr}");
}

#[test]
fn an_interface_that_is_made_again_is_watched_again_inline() {
    require_kernel_programs!();
    comes_back("inline");
}

#[test]
fn an_interface_that_is_made_again_is_watched_again_by_a_packet_socket() {
    testbed::require!(Need::Namespaces);
    comes_back("afpacket");
}

#[test]
fn an_interface_that_is_made_again_is_watched_again_in_tap_mode() {
    require_kernel_programs!();
    comes_back("tap");
}

#[test]
fn a_link_that_is_down_is_shown_and_does_not_make_the_agent_unhealthy() {
    require_kernel_programs!();
    for mode in ["inline", "afpacket", "tap"] {
        let mut cable = Cable::new();
        cable.plug(None);
        let agent = Agent::start(&cable.watched, &["-H", "10.53.0.1", "pkvwatched", "--mode", mode]);
        wait_for(&agent, "pkvwatched", "up");
        cable.watched.ip(&["link", "set", "pkvwatched", "down"]);
        wait_for(&agent, "pkvwatched", "down");
        assert_eq!(agent.health().0, 200, "{mode}");
        assert!(notes(&agent).contains("pkvwatched is down"), "{mode}: {}", notes(&agent));
        cable.watched.ip(&["link", "set", "pkvwatched", "up"]);
        wait_for(&agent, "pkvwatched", "up");
        assert!(!notes(&agent).contains("is down"), "{mode}: {}", notes(&agent));
        // Without the other end there is no carrier.
        cable.peer.ip(&["link", "set", "pkvpeer", "down"]);
        wait_for(&agent, "pkvwatched", "down");
        cable.peer.ip(&["link", "set", "pkvpeer", "up"]);
        wait_for(&agent, "pkvwatched", "up");
        cable.send_queries(HOST, 5);
        assert_eq!(agent.settled(5).period.packets.received, 5, "{mode}");
    }
}

#[test]
fn an_interface_that_is_renamed_stays_watched_and_is_shown_by_its_new_name() {
    require_kernel_programs!();
    for mode in ["inline", "afpacket", "tap"] {
        let mut cable = Cable::new();
        cable.plug(None);
        let agent = Agent::start(&cable.watched, &["-H", "10.53.0.1", "pkvwatched", "--mode", mode]);
        wait_for(&agent, "pkvwatched", "up");
        for words in [["down"].as_slice(), &["name", "pkvrenamed"], &["up"]] {
            let name = if words == ["up"] { "pkvrenamed" } else { "pkvwatched" };
            cable.watched.ip(&[&["link", "set", name], words].concat());
        }
        wait_for(&agent, "pkvrenamed", "up");
        cable.send_queries(HOST, 5);
        assert_eq!(agent.settled(5).period.packets.received, 5, "{mode}");
        assert!(notes(&agent).contains("pkvwatched is called pkvrenamed now"), "{mode}: {}", notes(&agent));
        // After it is gone, the agent waits for both names.
        cable.watched.ip(&["link", "del", "pkvrenamed"]);
        wait_for(&agent, "pkvrenamed", "gone");
        cable.pull();
        cable.plug(None);
        wait_for(&agent, "pkvwatched", "up");
        cable.send_queries(HOST, 4);
        assert_eq!(agent.settled(9).period.packets.received, 9, "{mode}");
    }
}

#[test]
fn an_interface_named_by_its_address_is_waited_for_by_its_address() {
    require_kernel_programs!();
    let mut cable = Cable::new();
    cable.plug(Some("10.53.0.1/24"));
    let agent = Agent::start(&cable.watched, &["10.53.0.1"]);
    wait_for(&agent, "pkvwatched", "up");
    cable.pull();
    wait_for(&agent, "pkvwatched", "gone");
    assert!(agent.health().1.contains("has the address 10.53.0.1"), "{}", agent.health().1);
    cable.pair = Some(Veth::new(&cable.peer, &cable.watched).names("pkvpeer", "pkvother").create());
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(agent.health().0, 503);
    cable.watched.ip(&["address", "add", "10.53.0.1/24", "dev", "pkvother"]);
    wait_for(&agent, "pkvother", "up");
    cable.send_queries(HOST, 5);
    assert_eq!(agent.settled(5).period.packets.received, 5);
}

#[test]
fn a_successor_that_cannot_be_watched_leaves_the_agent_unhealthy_with_the_reason() {
    require_kernel_programs!();
    let mut cable = Cable::new();
    cable.plug(None);
    let agent = Agent::start(&cable.watched, &["pkvwatched", "--mode", "tap"]);
    wait_for(&agent, "pkvwatched", "up");
    cable.pull();
    wait_for(&agent, "pkvwatched", "gone");
    // With an address it is not a mirror port. It may get the address before or after it is tapped.
    cable.plug(Some("10.53.0.1/24"));
    wait_until(&agent, "refused", || agent.health().1.contains("cannot be watched"));
    assert_eq!((agent.health().0, states(&agent)[0].1.as_str()), (503, "gone"));
    cable.watched.ip(&["address", "flush", "dev", "pkvwatched"]);
    wait_for(&agent, "pkvwatched", "up");
    assert_eq!(agent.health().0, 200);
}
