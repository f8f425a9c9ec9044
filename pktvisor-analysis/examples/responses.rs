//! Prints every DNS response of a capture file that has a question: its response code, type and
//! name.
//!
//! ```text
//! cargo run -p pktvisor-analysis --example responses captures/demo.pcap
//! ```

use std::error::Error;
use std::io::{self, Write};

use capture_file::{Capture, PacketRef};
use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::mnemonics::{qtype_name, rcode_name};
use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{
    Analysis, AnalysisSettings, ExchangeEnds, Flow, Observer, Outcome, ReassemblyEvent, Transaction,
};
use pktvisor_common::address::Address;
use pktvisor_common::classify::{Captured, Class, DnsPorts, LinkType, classify};
use pktvisor_common::direction::HostNetworks;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::SampleRate;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: responses CAPTURE_FILE")?;
    let mut capture = Capture::open(path)?;
    let dns_ports = DnsPorts::default();
    let mut analysis = Analysis::new(AnalysisSettings {
        dns_ports,
        sample_rate: SampleRate::ALL,
        transaction_timeout_ns: 5_000_000_000,
        host: Nowhere,
    });
    let mut printer = Printer { out: io::stdout().lock(), written: Ok(()) };
    while let Some(read) = capture.next_packet()? {
        let packet = packet(read);
        let mut class = Class::default();
        classify(packet.data, packet.link_type, &dns_ports, &mut class);
        analysis.packet(&packet, &class, &mut printer);
        // A reader such as head(1) closes the pipe when it has seen enough.
        if printer.written.is_err() {
            break;
        }
    }
    analysis.finish(&mut printer);
    match printer.written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn packet(read: PacketRef<'_>) -> Packet<'_> {
    Packet {
        timestamp_ns: read.timestamp_ns,
        stamp: if read.has_timestamp { Stamp::Own } else { Stamp::Borrowed },
        data: read.data,
        wire_len: read.wire_len,
        link_type: LinkType(read.link_type),
        segments: 1,
    }
}

/// No network is HOST, so it stays unknown which end of a transaction asked.
struct Nowhere;

impl HostNetworks for Nowhere {
    fn contains(&self, _address: Address<'_>) -> bool {
        false
    }
}

/// Prints responses, and ignores everything else that analysis finds.
struct Printer<W> {
    out: W,
    /// The first error.
    written: io::Result<()>,
}

impl<W: Write> Observer for Printer<W> {
    type Keys<'m> = ();

    fn message(&mut self, _flow: &Flow, message: &Message<'_>, (): &()) {
        if let (true, true, Some(question)) = (message.is_response(), self.written.is_ok(), &message.question)
        {
            let (rcode, qtype) = (rcode_name(message.rcode()), qtype_name(question.qtype));
            self.written = writeln!(self.out, "{rcode:<10} {qtype:<8} {}", question.name);
        }
    }

    type EndKeys<'m> = ();

    fn end_keys<'m>(&self, _ends: &ExchangeEnds<'m>) {}

    fn keys<'m>(&self, _ends: (), _head: &MessageHead<'m>) {}
    fn reassembled(&mut self, _flow: &Flow, _header_flags: u16, _captured: Captured) {}
    fn malformed(&mut self) {}
    fn udp_port(&mut self, _port: u16) {}
    fn transaction(&mut self, _transaction: &Transaction<'_>, (): &()) {}
    fn transaction_counts(&mut self, _counts: &TransactionCounts) {}
    fn reassembly(&mut self, _event: ReassemblyEvent) {}
    fn outcome(&mut self, _outcome: Outcome, _count: u64) {}
}
