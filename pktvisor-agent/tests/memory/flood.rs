//! Endless hostile traffic: every packet has another source and another name.

use std::io::Write;

use capture_file::write::PcapWriter;

/// Link type of raw IP.
const RAW: u16 = 101;
const HOST: [u8; 4] = [192, 0, 2, 53];
const UDP: u8 = 17;
const TCP: u8 = 6;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const SECOND_NS: u64 = 1_000_000_000;
/// The packets of a second, so that a flood of ten million lasts for more than five periods.
const PACKETS_PER_SECOND: u64 = 30_000;

/// Writes packets to a capture.
pub(crate) struct Flood<W: Write> {
    writer: PcapWriter<W>,
    state: u64,
    time_ns: u64,
    written: u64,
    packet: Vec<u8>,
}

impl<W: Write> Flood<W> {
    pub(crate) fn new(writer: W) -> Self {
        let writer = PcapWriter::new(writer, RAW).unwrap();
        Self { writer, state: 1, time_ns: 1_700_000_000 * SECOND_NS, written: 0, packet: Vec::new() }
    }

    /// Ends the capture and returns the number of its packets.
    pub(crate) fn finish(self) -> u64 {
        self.writer.finish().unwrap();
        self.written
    }

    /// A query for a random name from a random address, or the response to one, with one of the
    /// rcodes that have lists. A third of the names are as long as names can be.
    pub(crate) fn random_names(&mut self, n: u64) {
        self.name_packet(n);
        self.write(SECOND_NS / PACKETS_PER_SECOND);
    }

    /// The same, within seconds.
    pub(crate) fn random_names_at_once(&mut self, n: u64) {
        self.name_packet(n);
        self.write(SECOND_NS / 1_000_000);
    }

    /// The same, over a day.
    pub(crate) fn random_names_over_a_day(&mut self, n: u64) {
        self.name_packet(n);
        self.write(SECOND_NS * 86_400 / 1_500_000);
    }

    /// Opens a connection to the DNS port and begins a message that never ends.
    pub(crate) fn half_open_connection(&mut self, n: u64) {
        let (address, port, sequence) = (self.address(), self.random() as u16, self.random() as u32);
        self.tcp(address, port, sequence, SYN, &[]);
        if n.is_multiple_of(2) {
            let mut beginning = [0; 100];
            beginning[..2].copy_from_slice(&u16::MAX.to_be_bytes());
            self.tcp(address, port, sequence.wrapping_add(1), ACK, &beginning);
        }
    }

    /// Opens a connection and sends segments with a gap before each.
    pub(crate) fn connection_with_a_gap(&mut self, _: u64) {
        let (address, port, sequence) = (self.address(), self.random() as u16, self.random() as u32);
        self.tcp(address, port, sequence, SYN, &[]);
        for n in 1..=4 {
            self.tcp(address, port, sequence.wrapping_add(n * 2000), ACK, &[0; 1000]);
        }
    }

    /// The first fragment of a query, without the others.
    pub(crate) fn first_fragment(&mut self, _: u64) {
        self.fragment(0);
    }

    /// A later fragment, without the first one.
    pub(crate) fn later_fragment(&mut self, n: u64) {
        self.fragment(1 + n as u16 % 8000);
    }

    fn fragment(&mut self, offset: u16) {
        const MORE_FRAGMENTS: u16 = 0x2000;
        let address = self.address();
        self.ip(address, HOST, UDP, MORE_FRAGMENTS | offset);
        self.packet.extend_from_slice(&[0x30, 0x39, 0, 53, 5, 220, 0, 0]);
        self.packet.extend_from_slice(&[0; 1000]);
        self.write(SECOND_NS / PACKETS_PER_SECOND);
    }

    fn name_packet(&mut self, n: u64) {
        let remote = self.address();
        let port = self.random() as u16 | 0x400;
        let id = self.random() as u16;
        let rcode = [0, 2, 3, 5][n as usize / 4 % 4];
        let is_response = n % 4 == 3;
        let (from, to) = if is_response { (HOST, remote) } else { (remote, HOST) };
        let (from_port, to_port) = if is_response { (53, port) } else { (port, 53) };
        self.ip(from, to, UDP, 0);
        for field in [from_port, to_port, 0, 0] {
            self.packet.extend_from_slice(&field.to_be_bytes());
        }
        let flags: u16 = if is_response { 0x8180 | rcode } else { 0x0100 };
        for field in [id, flags, 1, 0, 0, 0] {
            self.packet.extend_from_slice(&field.to_be_bytes());
        }
        let labels: &[u8] = if n.is_multiple_of(3) { &[63, 63, 63, 61] } else { &[12, 10, 3] };
        for &len in labels {
            self.packet.push(len);
            for _ in 0..len {
                let letter = b'a' + (self.random() % 26) as u8;
                self.packet.push(letter);
            }
        }
        let qtype = self.random() as u16;
        self.packet.push(0);
        self.packet.extend_from_slice(&qtype.to_be_bytes());
        self.packet.extend_from_slice(&[0, 1]);
        let udp_len = (self.packet.len() - 20) as u16;
        self.packet[24..26].copy_from_slice(&udp_len.to_be_bytes());
    }

    fn tcp(&mut self, source: [u8; 4], port: u16, sequence: u32, flags: u8, payload: &[u8]) {
        self.ip(source, HOST, TCP, 0);
        self.packet.extend_from_slice(&port.to_be_bytes());
        self.packet.extend_from_slice(&[0, 53]);
        self.packet.extend_from_slice(&sequence.to_be_bytes());
        self.packet.extend_from_slice(&[0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        self.packet.extend_from_slice(payload);
        self.write(SECOND_NS / PACKETS_PER_SECOND);
    }

    /// Begins a packet with an IPv4 header, of which [`Flood::write`] sets the length.
    fn ip(&mut self, source: [u8; 4], destination: [u8; 4], protocol: u8, fragment: u16) {
        let identification = self.random() as u16;
        self.packet.clear();
        self.packet.extend_from_slice(&[0x45, 0, 0, 0]);
        self.packet.extend_from_slice(&identification.to_be_bytes());
        self.packet.extend_from_slice(&fragment.to_be_bytes());
        self.packet.extend_from_slice(&[64, protocol, 0, 0]);
        self.packet.extend_from_slice(&source);
        self.packet.extend_from_slice(&destination);
    }

    fn write(&mut self, later_ns: u64) {
        let len = self.packet.len() as u16;
        self.packet[2..4].copy_from_slice(&len.to_be_bytes());
        self.time_ns += later_ns;
        self.writer.write(self.time_ns, len.into(), &self.packet).unwrap();
        self.written += 1;
    }

    /// Any address except HOST.
    fn address(&mut self) -> [u8; 4] {
        let mut address = (self.random() as u32).to_be_bytes();
        address[0] = address[0] % 126 + 1;
        address
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
