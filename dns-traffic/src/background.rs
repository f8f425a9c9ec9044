//! Traffic that is not DNS: TCP and UDP flows, ICMP, ESP, ARP and LLDP.

use super::addresses::{PacketAddresses, Parties};
use super::frame::{self, Envelope, Segment, VlanTags, protocol, tcp_flags};
use super::stage::{MICROSECOND_NS, Role, Stage, record_ip, record_tcp};

/// The most packets that one flow takes.
pub(crate) const PACKETS_MAX: u64 = 34;

const ETHER_TYPE_ARP: u16 = 0x0806;
const ETHER_TYPE_LLDP: u16 = 0x88cc;

/// Payload bytes of TCP segments: acknowledgements, requests, full segments.
const TCP_SIZES: [(u32, usize); 6] = [(45, 0), (8, 120), (6, 517), (5, 900), (4, 1300), (32, 1428)];
/// Payload bytes of UDP datagrams: keep-alives, voice and games, downloads. The ports belong to
/// protocols without a format that a protocol analyser would expect.
const UDP_SIZES: [(u32, usize); 5] = [(15, 48), (25, 160), (20, 40), (10, 600), (30, 1350)];

/// Plans a flow whose first packet is due at `now_ns`.
pub(crate) fn converse(stage: &mut Stage, now_ns: u64) {
    match stage.rng.below(100) {
        0..22 => tcp_flow(stage, now_ns),
        22..42 => udp_flow(stage, now_ns),
        _ => single(stage, now_ns),
    }
}

/// Plans exactly one packet.
pub(crate) fn single(stage: &mut Stage, now_ns: u64) {
    match stage.rng.below(100) {
        0..30 => loose_segment(stage, now_ns),
        30..55 => loose_datagram(stage, now_ns),
        55..75 => echo(stage, now_ns),
        75..80 => unreachable(stage, now_ns),
        80..85 => esp(stage, now_ns),
        85..98 => arp(stage, now_ns),
        _ => lldp(stage, now_ns),
    }
}

fn tcp_flow(stage: &mut Stage, now_ns: u64) {
    let role = stage.role();
    let Parties { client, server } = stage.parties(role);
    let (port, tags) = (stage.port(), stage.tags());
    let service = stage.rng.pick(&[443, 443, 443, 80, 22, 8443]);
    let round_trip_ns = stage.round_trip_ns();
    let bits = stage.rng.next_u64();
    let mut seq = [bits as u32, (bits >> 32) as u32];
    let mut at_ns = now_ns;
    let body = stage.rng.between(2, PACKETS_MAX - 6);
    for index in 0..body + 6 {
        let handshake = index < 3;
        let closing = index >= body + 3;
        let from_client = match index {
            0 | 2 => true,
            1 => false,
            _ if closing => (index - body) != 4,
            _ => stage.rng.chance(0.35),
        };
        let flags = match index {
            0 => tcp_flags::SYN,
            1 => tcp_flags::SYN | tcp_flags::ACK,
            _ if closing && index < body + 5 => tcp_flags::FIN | tcp_flags::ACK,
            _ => tcp_flags::ACK,
        };
        let len = if handshake || closing { 0 } else { stage.rng.weighted(&TCP_SIZES) };
        let own = usize::from(!from_client);
        let segment = Segment {
            src_port: if from_client { port } else { service },
            dst_port: if from_client { service } else { port },
            seq: seq[own],
            ack: if index == 0 { 0 } else { seq[1 - own] },
            flags,
        };
        let (src, dst) = if from_client { (client, server) } else { (server, client) };
        send_segment(stage, at_ns, (src, dst), tags, &segment, len);
        let control = u32::from(flags & (tcp_flags::SYN | tcp_flags::FIN) != 0);
        seq[own] = seq[own].wrapping_add(len as u32 + control);
        let pause_ns = if handshake { round_trip_ns / 2 } else { stage.rng.below(round_trip_ns / 4 + 1) };
        at_ns = stage.after(at_ns, pause_ns + MICROSECOND_NS);
    }
}

fn udp_flow(stage: &mut Stage, now_ns: u64) {
    let role = stage.role();
    let Parties { client, server } = stage.parties(role);
    let (port, tags) = (stage.port(), stage.tags());
    let service = stage.rng.pick(&[9000, 27_015, 34_197, 51_820]);
    let mut at_ns = now_ns;
    for _ in 0..stage.rng.between(1, 12) {
        let len = stage.rng.weighted(&UDP_SIZES);
        if stage.rng.chance(0.5) {
            send_datagram(stage, at_ns, (client, server), tags, (port, service), len);
        } else {
            send_datagram(stage, at_ns, (server, client), tags, (service, port), len);
        }
        let pause_ns = stage.time_ns(3_000 * MICROSECOND_NS, 1.0);
        at_ns = stage.after(at_ns, pause_ns);
    }
}

fn loose_segment(stage: &mut Stage, now_ns: u64) {
    let way = either_way(stage);
    let bits = stage.rng.next_u64();
    let segment = Segment {
        src_port: stage.port(),
        dst_port: stage.rng.pick(&[443, 80, 22, 23, 3389]),
        seq: bits as u32,
        ack: if bits >> 63 == 0 { 0 } else { (bits >> 32) as u32 },
        // A scan's SYN, or a reset.
        flags: if bits >> 63 == 0 { tcp_flags::SYN } else { tcp_flags::RST | tcp_flags::ACK },
    };
    let tags = stage.tags();
    send_segment(stage, now_ns, way, tags, &segment, 0);
}

fn loose_datagram(stage: &mut Stage, now_ns: u64) {
    let way = either_way(stage);
    let ports = (stage.port(), stage.rng.pick(&[514, 1514, 7777, 9987, 33_434]));
    let (tags, len) = (stage.tags(), stage.rng.between(12, 300) as usize);
    send_datagram(stage, now_ns, way, tags, ports, len);
}

fn echo(stage: &mut Stage, now_ns: u64) {
    let (src, dst) = either_way(stage);
    let request = stage.rng.chance(0.5);
    let kind = match (src.is_ipv4(), request) {
        (true, true) => 8,
        (true, false) => 0,
        (false, true) => 128,
        (false, false) => 129,
    };
    let mut message = vec![kind, 0, 0, 0];
    message.extend_from_slice(&(stage.rng.next_u64() as u32).to_be_bytes());
    message.extend_from_slice(filler(56));
    let tags = stage.tags();
    let envelope = stage.envelope(src, dst, tags);
    send_icmp(stage, now_ns, &envelope, &message);
}

/// A port unreachable that quotes the beginning of a DNS response. The quotation does not count as
/// DNS.
fn unreachable(stage: &mut Stage, now_ns: u64) {
    let Parties { client, server } = stage.parties(Role::Server);
    let (port, tags) = (stage.port(), stage.tags());
    let quoted = stage.envelope(server, client, tags);
    let message_type = if client.is_ipv4() { [3, 3] } else { [1, 4] };
    let mut message = vec![message_type[0], message_type[1], 0, 0, 0, 0, 0, 0];
    frame::bare_ip_header(&mut message, &quoted, protocol::UDP, 60);
    message.extend_from_slice(&[0, 53]);
    message.extend_from_slice(&port.to_be_bytes());
    message.extend_from_slice(&[0, 60, 0, 0]);
    let envelope = stage.envelope(client, server, tags);
    send_icmp(stage, now_ns, &envelope, &message);
}

fn esp(stage: &mut Stage, now_ns: u64) {
    let (src, dst) = either_way(stage);
    let len = stage.rng.between(10, 90) as usize * 4;
    let mut payload = Vec::with_capacity(len);
    payload.extend_from_slice(&(stage.rng.next_u64() | 1 << 63).to_be_bytes());
    payload.extend_from_slice(filler(len));
    let tags = stage.tags();
    let envelope = stage.envelope(src, dst, tags);
    let packet = stage.queue.add(now_ns);
    frame::ip(&mut packet.data, &envelope, protocol::ESP, &payload);
    record_ip(&mut packet.facts, &envelope, protocol::ESP);
}

fn arp(stage: &mut Stage, now_ns: u64) {
    let neighbour = stage.rng.between(16, 200) as u8;
    // Ethernet, IPv4, request; from the router (RFC 826).
    let mut payload = vec![0, 1, 8, 0, 6, 4, 0, 1, 0x02, 0, 0x5e, 0, 0x53, 2, 192, 0, 2, 1];
    payload.extend_from_slice(&[0, 0, 0, 0, 0, 0, 192, 0, 2, neighbour]);
    frame::ethernet(&mut stage.queue.add(now_ns).data, ETHER_TYPE_ARP, frame::BROADCAST_MAC, &payload);
}

fn lldp(stage: &mut Stage, now_ns: u64) {
    // Chassis and port by MAC address, time to live, end (IEEE 802.1AB).
    let payload =
        b"\x02\x07\x04\x02\x00\x5e\x00\x53\x02\x04\x07\x03\x02\x00\x5e\x00\x53\x02\x06\x02\x00\x78\x00\x00";
    frame::ethernet(&mut stage.queue.add(now_ns).data, ETHER_TYPE_LLDP, frame::HOST_MAC, payload);
}

fn either_way(stage: &mut Stage) -> PacketAddresses {
    let role = stage.role();
    let Parties { client, server } = stage.parties(role);
    if stage.rng.chance(0.5) { (client, server) } else { (server, client) }
}

fn send_segment(
    stage: &mut Stage,
    at_ns: u64,
    way: PacketAddresses,
    tags: VlanTags,
    segment: &Segment,
    len: usize,
) {
    let envelope = stage.envelope(way.0, way.1, tags);
    let packet = stage.queue.add(at_ns);
    frame::tcp(&mut packet.data, &envelope, segment, filler(len));
    record_tcp(&mut packet.facts, &envelope, segment.flags);
}

fn send_datagram(
    stage: &mut Stage,
    at_ns: u64,
    way: PacketAddresses,
    tags: VlanTags,
    ports: (u16, u16),
    len: usize,
) {
    let envelope = stage.envelope(way.0, way.1, tags);
    let packet = stage.queue.add(at_ns);
    frame::udp(&mut packet.data, &envelope, ports, filler(len));
    record_ip(&mut packet.facts, &envelope, protocol::UDP);
}

fn send_icmp(stage: &mut Stage, at_ns: u64, envelope: &Envelope, message: &[u8]) {
    let packet = stage.queue.add(at_ns);
    frame::icmp(&mut packet.data, envelope, message);
    let protocol = if envelope.src.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
    record_ip(&mut packet.facts, envelope, protocol);
}

/// `len` payload bytes without a meaning, at most a full segment.
fn filler(len: usize) -> &'static [u8] {
    static FILLER: [u8; 1428] = noise();
    &FILLER[..len.min(FILLER.len())]
}

const fn noise() -> [u8; 1428] {
    let mut bytes = [0; 1428];
    let mut state: u32 = 1;
    let mut index = 0;
    while index < bytes.len() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes[index] = (state >> 24) as u8;
        index += 1;
    }
    bytes
}
