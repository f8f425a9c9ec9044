//! Every packet of every available capture: the bundled ones, real ones if they exist, and
//! generated ones.

use std::collections::BTreeMap;
use std::path::Path;

use capture_file::Capture;
use dns_traffic::{Config, Generator};
use pktvisor_common::classify::LinkType;

use crate::captures::captures;

/// Packets by what they begin with.
pub(crate) type Corpus = BTreeMap<u16, Vec<Vec<u8>>>;

/// All packets.
pub(crate) fn corpus() -> Corpus {
    let mut corpus = Corpus::new();
    for path in captures() {
        add_capture(&path, &mut corpus);
    }
    let generated = Generator::new(EVERYTHING).unwrap().map(|packet| packet.data.to_vec());
    corpus.entry(LinkType::ETHERNET.0).or_default().extend(generated);
    corpus
}

/// Some of everything that the generator can make.
const EVERYTHING: Config = Config {
    packets: 20_000,
    names: 500,
    clients: 2_000,
    dns_share: 0.7,
    tcp_share: 0.3,
    random_sources: 0.2,
    malformed: 0.1,
    fragments: 0.3,
    vlan: true,
    split_tcp: true,
    collect_answer: false,
    ..Config::DEFAULT
};

/// A capture that is damaged on purpose counts as far as it can be read.
fn add_capture(path: &Path, corpus: &mut Corpus) {
    let Ok(mut capture) = Capture::open(path) else { return };
    while let Ok(Some(packet)) = capture.next_packet() {
        corpus.entry(packet.link_type).or_default().push(packet.data.to_vec());
    }
}
