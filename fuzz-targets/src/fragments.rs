//! Reassembly of fragmented datagrams, as a sequence of fragments.
//!
//! The bytes of a datagram are a function of its identification and their place. So each message
//! that comes out can be checked to the byte, however the fragments overlap.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use pktvisor_analysis::ReassemblyEvent;
use pktvisor_analysis::fragments::{FragmentLimits, Fragments};
use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify};

const OPERATIONS_MAX: usize = 256;
const UDP_HEADER_BYTES: usize = 8;
/// Destination options with nothing in them, before UDP.
const OPTIONS: [u8; 8] = [17, 0, 1, 4, 0, 0, 0, 0];
const MILLISECOND_NS: u64 = 1_000_000;
const IDENTIFICATIONS: u8 = 16;
/// Most bytes of one fragment.
const PART_BYTES_MAX: usize = 1500;
/// Bytes of each datagram of [`DATAGRAMS`]: its last fragment can begin at the greatest offset.
const DATAGRAM_BYTES: usize = (1 << 16) + PART_BYTES_MAX;

/// The bytes of every datagram: first those of IPv4 by identification, then those of IPv6. They are
/// computed once, because a byte takes longer to compute than to reassemble.
static DATAGRAMS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let of_version = |is_ipv6| (0..IDENTIFICATIONS).map(move |identification| (is_ipv6, identification));
    [false, true]
        .into_iter()
        .flat_map(of_version)
        .map(|(is_ipv6, identification)| {
            let part = DatagramPart { is_ipv6, identification, ..DatagramPart::default() };
            (0..DATAGRAM_BYTES).map(|at| part.byte_at(at)).collect()
        })
        .collect()
});

#[derive(Arbitrary, Debug)]
enum FragmentOperation {
    Fragment {
        is_ipv6: bool,
        identification: u8,
        /// In units of 8 bytes.
        offset: u16,
        len: u16,
        is_last: bool,
        snapped: u8,
        pause_ms: u8,
    },
    /// The next fragment of the same datagram, behind the last one.
    Following {
        len: u16,
        is_last: bool,
    },
    Wait {
        ms: u16,
    },
    Changed {
        at: u16,
        value: u8,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct DatagramPart {
    is_ipv6: bool,
    identification: u8,
    from: usize,
    to: usize,
    is_last: bool,
}

impl DatagramPart {
    /// Whether a header of destination options of 8 bytes precedes UDP.
    fn has_options(&self) -> bool {
        self.is_ipv6 && self.identification >= 8
    }

    /// The place of the UDP header.
    fn udp_at(&self) -> usize {
        if self.has_options() { OPTIONS.len() } else { 0 }
    }

    /// The byte of the datagram at a place: perhaps options, a UDP header, then a message.
    fn byte_at(&self, at: usize) -> u8 {
        let (options, udp_at) = (&OPTIONS[..self.udp_at()], self.udp_at());
        // Of eight datagrams one is not DNS.
        let port: [u8; 2] = if self.identification % 8 == 7 { [8, 1] } else { [0, 53] };
        let header = [0x0f, 0xa0, port[0], port[1], 0xff, 0xff, 0, 0];
        let beginning = options.get(at).or_else(|| header.get(at.checked_sub(udp_at)?));
        beginning.copied().unwrap_or(self.identification ^ (at / 8) as u8 ^ at as u8)
    }

    /// All bytes of the datagram.
    fn datagram(&self) -> &'static [u8] {
        let first = if self.is_ipv6 { IDENTIFICATIONS } else { 0 };
        &DATAGRAMS[usize::from(first + self.identification)]
    }
}

/// The packet of a part, as raw IP.
fn packet(part: &DatagramPart) -> Vec<u8> {
    let data = &part.datagram()[part.from..part.to];
    let field = (part.from / 8) as u16;
    let mut packet = Vec::with_capacity(60 + part.to - part.from);
    if part.is_ipv6 {
        let next = if part.has_options() { 60 } else { 17 };
        packet.extend([0x60, 0, 0, 0]);
        packet.extend(((8 + data.len()) as u16).to_be_bytes());
        packet.extend([44, 64]);
        packet.extend([1; 16]);
        packet.extend([2; 16]);
        packet.extend([next, 0]);
        packet.extend((field << 3 | u16::from(!part.is_last)).to_be_bytes());
        packet.extend([0, 0, 0, part.identification]);
    } else {
        packet.extend([0x45, 0]);
        packet.extend(((20 + data.len()) as u16).to_be_bytes());
        packet.extend([0, part.identification]);
        packet.extend((field | u16::from(!part.is_last) << 13).to_be_bytes());
        packet.extend([64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    }
    packet.extend_from_slice(data);
    packet
}

struct FragmentTable {
    fragments: Fragments,
    limits: FragmentLimits,
    now_ns: u64,
    packets: usize,
    events: usize,
    last: DatagramPart,
    /// A byte of the next packet to change. Then messages may be anything.
    change: Option<(u16, u8)>,
    is_clean: bool,
}

/// The operations.
pub fn run(data: &[u8]) {
    let limits = FragmentLimits { datagrams: 4, buffered_bytes: 8192, fragments_per_datagram: 8 };
    let mut table = FragmentTable {
        fragments: Fragments::new(DnsPorts::default(), limits),
        limits,
        now_ns: 0,
        packets: 0,
        events: 0,
        last: DatagramPart::default(),
        change: None,
        is_clean: true,
    };
    let mut input = Unstructured::new(data);
    for _ in 0..OPERATIONS_MAX {
        if input.is_empty() {
            break;
        }
        let Ok(operation) = input.arbitrary() else { break };
        table.perform(&operation);
        assert!(table.fragments.len() <= limits.datagrams);
        assert!(table.fragments.buffered_bytes() <= limits.buffered_bytes);
        assert!(table.events <= 3 * table.packets + table.limits.datagrams);
    }
    let events = &mut table.events;
    table.fragments.finish(|_: ReassemblyEvent| *events += 1);
    assert_eq!((table.fragments.len(), table.fragments.buffered_bytes()), (0, 0));
}

impl FragmentTable {
    fn perform(&mut self, operation: &FragmentOperation) {
        match *operation {
            FragmentOperation::Fragment {
                is_ipv6,
                identification,
                offset,
                len,
                is_last,
                snapped,
                pause_ms,
            } => {
                self.now_ns += u64::from(pause_ms) * MILLISECOND_NS;
                let from = usize::from(offset % 512) * 8;
                let identification = identification % IDENTIFICATIONS;
                self.take(DatagramPart { is_ipv6, identification, from, to: from, is_last }, len, snapped);
            }
            FragmentOperation::Following { len, is_last } => {
                let part = DatagramPart { from: self.last.to, is_last, ..self.last };
                self.take(part, len, 0);
            }
            FragmentOperation::Wait { ms } => {
                self.now_ns += u64::from(ms) * MILLISECOND_NS;
                let events = &mut self.events;
                self.fragments.advance(self.now_ns, |_| *events += 1);
            }
            FragmentOperation::Changed { at, value } => {
                self.change = Some((at, value));
                self.is_clean = false;
            }
        }
    }

    fn take(&mut self, part: DatagramPart, len: u16, snapped: u8) {
        let len = usize::from(len) % PART_BYTES_MAX;
        let len = if part.is_last { len } else { len / 8 * 8 };
        // Fragments begin at multiples of 8 bytes.
        let from = part.from % (1 << 16) / 8 * 8;
        let part = DatagramPart { from, to: from + len, ..part };
        self.last = part;
        let mut packet = packet(&part);
        if let Some((at, value)) = self.change.take() {
            let at = usize::from(at) % packet.len();
            packet[at] = value;
        }
        packet.truncate(packet.len() - usize::from(snapped.saturating_sub(220)).min(packet.len()));
        self.packets += 1;
        let mut class = Class::default();
        classify(packet.as_slice(), LinkType::RAW, &DnsPorts::default(), &mut class);
        let events = &mut self.events;
        let found = self.fragments.fragment(&packet, &class, self.now_ns, |_| *events += 1);
        let Some(found) = found else { return };
        assert!(found.message.len() >= 12 && found.fragments <= self.limits.fragments_per_datagram);
        if self.is_clean {
            let start = part.udp_at() + UDP_HEADER_BYTES;
            assert!(
                part.datagram()[start..].starts_with(found.message),
                "a message has other bytes than its fragments"
            );
        }
    }
}
