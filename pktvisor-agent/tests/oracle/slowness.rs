//! Slow names, clients and servers, compared with a sorted list of all times so far.

use std::collections::HashMap;
use std::net::IpAddr;

use capture_file::Capture;
use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::name::presentation;
use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{ClientSide, ExchangeEnds, Flow, Observer, Outcome, ReassemblyEvent, Transaction};
use pktvisor_api::TopEntry;
use pktvisor_common::classify::{Captured, Class, DnsPorts, LinkType, classify};
use pktvisor_common::packet::{Packet, Stamp};

use super::replay::{Setup, pipeline, replay};
use super::traffic::{self, Traffic};

/// Keeps every transaction: time in microseconds, and name.
#[derive(Default)]
struct Transactions {
    inbound: Vec<(u64, String)>,
    outbound: Vec<(u64, String)>,
    /// By the address at the other end than HOST.
    by_client: Vec<(u64, String)>,
    by_server: Vec<(u64, String)>,
}

impl Observer for Transactions {
    type Keys<'m> = Option<IpAddr>;

    type EndKeys<'m> = Option<IpAddr>;

    fn keys<'m>(&self, party: Option<IpAddr>, _: &MessageHead<'m>) -> Option<IpAddr> {
        party
    }

    fn end_keys<'m>(&self, ends: &ExchangeEnds<'m>) -> Option<IpAddr> {
        ends.remote().map(IpAddr::from)
    }

    fn transaction(&mut self, transaction: &Transaction<'_>, remote: &Option<IpAddr>) {
        let (list, by_remote) = match transaction.client {
            ClientSide::Remote => (&mut self.inbound, &mut self.by_client),
            ClientSide::Host => (&mut self.outbound, &mut self.by_server),
            ClientSide::Unknown => return,
        };
        // Without a question there is a time, but no slow name.
        let name = transaction.question.map(|question| presentation(question.name.as_wire()).to_string());
        let time_us = transaction.duration_ns.unwrap() / 1000;
        list.push((time_us, name.unwrap_or_default()));
        by_remote.push((time_us, remote.unwrap().to_string()));
    }

    fn reassembled(&mut self, _: &Flow, _: u16, _: Captured) {}
    fn message(&mut self, _: &Flow, _: &Message<'_>, _: &Option<IpAddr>) {}
    fn malformed(&mut self) {}
    fn udp_port(&mut self, _: u16) {}
    fn transaction_counts(&mut self, _: &TransactionCounts) {}
    fn reassembly(&mut self, _: ReassemblyEvent) {}
    fn outcome(&mut self, _: Outcome, _: u64) {}
}

fn transactions(traffic: &Traffic) -> Transactions {
    let mut found = Transactions::default();
    let mut analysis = pipeline(&traffic.answer.host, 100, None).analysis;
    let mut capture = Capture::from_reader(std::io::Cursor::new(traffic.pcap.clone())).unwrap();
    while let Some(read) = capture.next_packet().unwrap() {
        let packet = Packet {
            timestamp_ns: read.timestamp_ns,
            stamp: Stamp::Own,
            data: read.data,
            wire_len: read.wire_len,
            link_type: LinkType(read.link_type),
            segments: 1,
        };
        let mut class = Class::default();
        classify(packet.data, packet.link_type, &DnsPorts::default(), &mut class);
        analysis.packet(&packet, &class, &mut found);
    }
    found
}

/// How often each name was slow, at least and at most, because the percentile is known to one part
/// in 128.
fn slow(times: &[(u64, String)]) -> HashMap<&str, (u64, u64)> {
    let mut sorted = Vec::new();
    let mut counts = HashMap::<&str, (u64, u64)>::new();
    for (time_us, name) in times {
        sorted.insert(sorted.partition_point(|other| other < time_us), *time_us);
        let percentile = sorted[(sorted.len() * 9 / 10).min(sorted.len() - 1)];
        if sorted.len() <= 10 || name.is_empty() {
            continue;
        }
        let count = counts.entry(name).or_default();
        count.0 += u64::from(*time_us >= percentile);
        let inexact = if percentile < 256 { 0 } else { percentile / 128 + 1 };
        count.1 += u64::from(*time_us + inexact >= percentile);
    }
    counts
}

fn assert_slow(found: &[TopEntry], times: &[(u64, String)]) {
    let counts = slow(times);
    assert_eq!(found.len(), 10);
    for entry in found {
        let (least, most) = counts[entry.name.as_str()];
        assert!(least <= entry.estimate && entry.estimate <= most, "{entry:?}: {least} to {most}");
    }
    // A name that was certainly slow more often than the last listed one is listed.
    let last = found[9].estimate;
    for (name, (least, _)) in counts {
        assert!(
            least <= last || found.iter().any(|entry| entry.name == name),
            "{name} was slow {least} times"
        );
    }
}

#[test]
fn slow_names_clients_and_servers_are_those_at_or_above_the_running_90th_percentile() {
    let traffic = Traffic::of(traffic::hostile());
    let times = transactions(&traffic);
    let dns = replay(&traffic, Setup::summary()).document().dns;
    let found = dns.xact;
    assert_slow(&dns.inbound.top_clients_slow, &times.by_client);
    assert_slow(&dns.outbound.top_servers_slow, &times.by_server);
    assert_eq!(found.inbound.total, times.inbound.len() as u64);
    assert_slow(&found.inbound.top_slow, &times.inbound);
    assert_slow(&found.outbound.top_slow, &times.outbound);
}
