//! Scenarios over whole tables; each name states the rule it holds the table to.

mod conflicts;
mod datagrams;
mod limits;
mod random;

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header};

use pktvisor_common::classify::{LinkType, classify};

use super::*;
use ReassemblyEvent::{
    DatagramEvicted, DatagramIncomplete, DatagramReassembled, DatagramUnidentified, FragmentMalformed,
};

const SECOND: u64 = 1_000_000_000;
const ETHERNET_LEN: usize = 14;

/// A UDP datagram, header included, with `len` bytes of payload.
fn udp(destination_port: u16, len: usize) -> Vec<u8> {
    let mut datagram = Vec::new();
    for field in [4000, destination_port, 8 + len as u16, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.extend((0..len).map(|index| (index / 8) as u8 ^ index as u8));
    datagram
}

#[derive(Clone, Copy)]
struct Part {
    ip_version: IpVersion,
    identification: u16,
    protocol: IpNumber,
    /// Bytes of the datagram; a `to` beyond its end or at it is the last fragment.
    from: usize,
    to: usize,
    more: bool,
    /// Bytes of the packet that were captured.
    snaplen: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            ip_version: IpVersion::V4,
            identification: 7,
            protocol: IpNumber::UDP,
            from: 0,
            to: 0,
            more: true,
            snaplen: usize::MAX,
        }
    }
}

/// The packet of a fragment as captured, with Ethernet padding, and what a classifier finds in it.
fn packet(datagram: &[u8], part: Part) -> (Vec<u8>, Class) {
    let data = &datagram[part.from..part.to];
    let offset = IpFragOffset::try_new((part.from / 8) as u16).unwrap();
    let mut packet = vec![0; ETHERNET_LEN];
    if part.ip_version == IpVersion::V4 {
        let mut header =
            Ipv4Header::new(data.len() as u16, 64, part.protocol, [192, 0, 2, 1], [192, 0, 2, 2]).unwrap();
        header.identification = part.identification;
        header.dont_fragment = false;
        header.more_fragments = part.more;
        header.fragment_offset = offset;
        header.write(&mut packet).unwrap();
    } else {
        let header = Ipv6Header {
            payload_length: data.len() as u16 + 16,
            next_header: IpNumber::IPV6_DESTINATION_OPTIONS,
            hop_limit: 64,
            source: [1; 16],
            destination: [2; 16],
            ..Ipv6Header::default()
        };
        header.write(&mut packet).unwrap();
        packet.extend([IpNumber::IPV6_FRAGMENTATION_HEADER.0, 0, 1, 4, 0, 0, 0, 0]);
        let identification = part.identification.into();
        Ipv6FragmentHeader::new(part.protocol, offset, part.more, identification).write(&mut packet).unwrap();
    }
    packet.extend(data);
    if part.snaplen == usize::MAX {
        packet.extend([0xee; 6]);
    }
    packet.truncate(part.snaplen);
    let mut class = Class {
        source: [1; 16],
        destination: [2; 16],
        ip_version: Some(part.ip_version),
        protocol: IpNumber::UDP.0,
        network_offset: ETHERNET_LEN as u16,
        flags: flags::FRAGMENT,
        ..Class::default()
    };
    // A real classifier looks at the ports of this very fragment.
    let is_dns = datagram.windows(2).take(80).any(|bytes| bytes == [0, 53]);
    if part.from > 0 {
        class.flags |= flags::LATER_FRAGMENT | flags::DNS_FRAGMENT;
    } else if is_dns {
        class.flags |= flags::DNS_FRAGMENT;
    }
    (packet, class)
}

/// The same as a real classifier finds it.
fn classified(datagram: &[u8], part: Part) -> (Vec<u8>, Class) {
    let (mut packet, _) = packet(datagram, part);
    let ethertype: [u8; 2] = if part.ip_version == IpVersion::V4 { [0x08, 0x00] } else { [0x86, 0xdd] };
    packet[12..14].copy_from_slice(&ethertype);
    let mut class = Class::default();
    classify(packet.as_slice(), LinkType::ETHERNET, &DnsPorts::default(), &mut class);
    (packet, class)
}

struct Scenario {
    fragments: Fragments,
    events: Vec<ReassemblyEvent>,
    now_ns: u64,
}

impl Scenario {
    fn new() -> Self {
        Self::with(FragmentLimits::default())
    }

    fn with(limits: FragmentLimits) -> Self {
        Self {
            fragments: Fragments::new(DnsPorts::default(), limits),
            events: Vec::new(),
            now_ns: 1000 * SECOND,
        }
    }

    /// What a fragment brings: message, number of fragments, how much is captured.
    fn add(&mut self, datagram: &[u8], part: Part) -> Option<(Vec<u8>, u16, Captured)> {
        let (packet, class) = packet(datagram, part);
        self.packet(&packet, &class)
    }

    fn packet(&mut self, packet: &[u8], class: &Class) -> Option<(Vec<u8>, u16, Captured)> {
        let events = &mut self.events;
        self.fragments
            .fragment(packet, class, self.now_ns, |event| events.push(event))
            .map(|found| (found.message.to_vec(), found.fragments, found.captured))
    }

    fn parts<const N: usize>(
        &mut self,
        datagram: &[u8],
        parts: [Part; N],
    ) -> Option<(Vec<u8>, u16, Captured)> {
        parts.into_iter().fold(None, |_, part| self.add(datagram, part))
    }

    fn wait(&mut self, ns: u64) {
        self.now_ns += ns;
        let events = &mut self.events;
        self.fragments.advance(self.now_ns, |event| events.push(event));
    }
}

/// First, middle and last third of a datagram.
fn thirds(datagram: &[u8]) -> [Part; 3] {
    let [first, second] = [datagram.len() / 24 * 8, datagram.len() / 24 * 16];
    [
        Part { from: 0, to: first, ..Part::default() },
        Part { from: first, to: second, ..Part::default() },
        Part { from: second, to: datagram.len(), more: false, ..Part::default() },
    ]
}
