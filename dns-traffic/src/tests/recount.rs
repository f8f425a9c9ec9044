//! A small reader of frames that shares no code with the writer and counts the bytes' content. It
//! reads only streams whose segments arrive in order.

use std::collections::HashMap;

/// Offset, whether more follow, bytes.
pub(super) type Piece = (usize, bool, Vec<u8>);

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Recount {
    pub(super) packets: u64,
    pub(super) ipv4: u64,
    pub(super) ipv6: u64,
    pub(super) udp: u64,
    pub(super) tcp: u64,
    pub(super) received: u64,
    pub(super) fragments: u64,
    pub(super) bad_checksums: u64,
    pub(super) queries: u64,
    pub(super) replies: u64,
    pub(super) malformed: u64,
    /// Question names by their labels in lower case.
    pub(super) names: HashMap<Vec<Vec<u8>>, u64>,
    pub(super) udp_messages: u64,
    pub(super) tcp_messages: u64,
    /// Whether to read DNS over TCP.
    pub(super) read_streams: bool,
    /// Bytes of streams that do not make a message yet: by addresses and ports.
    pub(super) streams: HashMap<Vec<u8>, Vec<u8>>,
    /// Fragments of datagrams that are not complete: by addresses and identification.
    pub(super) pieces: HashMap<Vec<u8>, Vec<Piece>>,
}

fn be16(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
}

/// The ones' complement sum, 0xffff where it is right.
fn sum(parts: &[&[u8]]) -> usize {
    let mut sum = 0;
    for part in parts {
        for (index, byte) in part.iter().enumerate() {
            sum += usize::from(*byte) << if index % 2 == 0 { 8 } else { 0 };
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

impl Recount {
    pub(super) fn observe(&mut self, frame: &[u8]) {
        self.packets += 1;
        let mut at = 12;
        while [0x8100, 0x88a8].contains(&be16(frame, at)) {
            at += 4;
        }
        let ether_type = be16(frame, at);
        let ip = &frame[at + 2..];
        match ether_type {
            0x0800 => self.ipv4(ip),
            0x86dd => self.ipv6(ip),
            _ => {}
        }
    }

    fn ipv4(&mut self, ip: &[u8]) {
        self.ipv4 += 1;
        self.received += u64::from(ip[16..19] == [192, 0, 2] && ip[19] < 16);
        self.bad_checksums += u64::from(sum(&[&ip[..20]]) != 0xffff);
        let payload = &ip[20..be16(ip, 2)];
        let (more, offset) = (be16(ip, 6) & 0x2000 != 0, (be16(ip, 6) & 0x1fff) * 8);
        let fragment = (more || offset > 0).then(|| (offset, more, ip[4..6].to_vec()));
        self.transport(ip[9], &ip[12..20], payload, fragment);
    }

    fn ipv6(&mut self, ip: &[u8]) {
        self.ipv6 += 1;
        self.received += u64::from(ip[24..32] == [0x20, 1, 0x0d, 0xb8, 0, 0x53, 0, 0]);
        let payload = &ip[40..40 + be16(ip, 4)];
        if ip[6] == 44 {
            let field = be16(payload, 2);
            let fragment = (field & !7, field & 1 != 0, payload[4..8].to_vec());
            self.transport(payload[0], &ip[8..40], &payload[8..], Some(fragment));
        } else {
            self.transport(ip[6], &ip[8..40], payload, None);
        }
    }

    fn transport(
        &mut self,
        protocol: u8,
        addresses: &[u8],
        payload: &[u8],
        fragment: Option<(usize, bool, Vec<u8>)>,
    ) {
        self.udp += u64::from(protocol == 17);
        self.tcp += u64::from(protocol == 6);
        let Some((offset, more, identification)) = fragment else {
            return self.datagram(protocol, addresses, payload);
        };
        self.fragments += 1;
        let key = [addresses, &identification].concat();
        let pieces = self.pieces.entry(key.clone()).or_default();
        pieces.push((offset, more, payload.to_vec()));
        pieces.sort();
        let whole: Vec<u8> = pieces.iter().flat_map(|(.., bytes)| bytes.clone()).collect();
        if pieces.last().is_some_and(|(offset, more, bytes)| !more && offset + bytes.len() == whole.len()) {
            self.pieces.remove(&key);
            self.datagram(protocol, addresses, &whole);
        }
    }

    fn datagram(&mut self, protocol: u8, addresses: &[u8], payload: &[u8]) {
        if [6, 17, 58].contains(&protocol) {
            let pseudo = [0, protocol, (payload.len() >> 8) as u8, payload.len() as u8];
            self.bad_checksums += u64::from(sum(&[addresses, &pseudo, payload]) != 0xffff);
        }
        if protocol == 1 {
            self.bad_checksums += u64::from(sum(&[payload]) != 0xffff);
        }
        if protocol == 17 && (be16(payload, 0) == 53 || be16(payload, 2) == 53) {
            self.udp_messages += 1;
            self.message(&payload[8..]);
        }
        if self.read_streams && protocol == 6 && (be16(payload, 0) == 53 || be16(payload, 2) == 53) {
            let data = &payload[usize::from(payload[12] >> 4) * 4..];
            let key = [addresses, &payload[..4]].concat();
            let mut stream = self.streams.remove(&key).unwrap_or_default();
            stream.extend_from_slice(data);
            while stream.len() >= 2 && stream.len() >= 2 + be16(&stream, 0) {
                let rest = stream.split_off(2 + be16(&stream, 0));
                self.tcp_messages += 1;
                self.message(&stream[2..]);
                stream = rest;
            }
            self.streams.insert(key, stream);
        }
    }

    fn message(&mut self, message: &[u8]) {
        *(if message[2] & 0x80 == 0 { &mut self.queries } else { &mut self.replies }) += 1;
        // DNS Stateful Operations have no question.
        if be16(message, 4) == 0 {
            return;
        }
        match question_name(message) {
            Some(name) => *self.names.entry(name).or_default() += 1,
            None => self.malformed += 1,
        }
    }
}

/// The question's labels in lower case.
fn question_name(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut name, mut at) = (Vec::new(), 12);
    loop {
        match usize::from(*message.get(at)?) {
            0 => break,
            len @ 1..=63 => {
                name.push(message.get(at + 1..at + 1 + len)?.to_ascii_lowercase());
                at += 1 + len;
            }
            _ => return None,
        }
    }
    message.get(at + 4)?;
    (at - 12 < 255).then_some(name)
}
