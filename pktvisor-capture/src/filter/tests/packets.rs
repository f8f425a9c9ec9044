//! Packets that the expressions of `list` mean, and packets that they do not, from a seed.

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

const MACS: [[u8; 6]; 4] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [0xff; 6], [1, 0, 0x5e, 0, 0, 0xfb]];
const IPV4: [[u8; 4]; 7] = [
    [192, 0, 2, 1],
    [192, 0, 2, 2],
    [10, 1, 2, 3],
    [172, 16, 0, 9],
    [224, 0, 0, 251],
    [255, 255, 255, 255],
    [0, 0, 0, 17],
];
const PORTS: [u16; 12] = [53, 53, 53, 443, 80, 22, 853, 5353, 123, 1024, 2048, 40000];
const VLAN_TPIDS: [u16; 4] = [0x8100, 0x8100, 0x88a8, 0x9100];

/// An Ethernet frame of 14 bytes and more: sometimes cut, sometimes damaged.
pub(super) fn ethernet(random: &mut Random) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(random.of(&MACS));
    frame.extend(random.of(&MACS));
    if random.one_in(12) {
        let len = 2 + random.below(120);
        frame.extend(random.bytes(len));
        return frame;
    }
    while random.one_in(3) {
        frame.extend(random.of(&VLAN_TPIDS).to_be_bytes());
        frame.extend(random.of(&[7_u16, 100, 7 | 0xe000, 4095, 0]).to_be_bytes());
    }
    payload(random, &mut frame);
    if random.one_in(5) {
        frame.truncate(14 + random.below(frame.len() - 13));
    }
    if random.one_in(6) {
        let at = random.below(frame.len());
        frame[at] = random.next() as u8;
    }
    if random.one_in(4) {
        frame.resize(frame.len().max(60), 0);
    }
    frame
}

/// An IP packet without anything before it, at least 14 bytes long.
pub(super) fn raw_ip(random: &mut Random) -> Vec<u8> {
    let mut packet = if random.one_in(2) { ipv4(random) } else { ipv6(random) };
    if random.one_in(5) {
        packet.truncate(14 + random.below(packet.len() - 13));
    }
    packet
}

/// The EtherType and what follows it.
fn payload(random: &mut Random, frame: &mut Vec<u8>) {
    let (ethertype, body) = match random.below(10) {
        0..=3 => (0x0800_u16, ipv4(random)),
        4..=5 => (0x86dd, ipv6(random)),
        6 => (random.of(&[0x0806, 0x8035]), arp(random)),
        7 => (0x8847, mpls(random)),
        8 => (random.of(&[0x8863, 0x8864]), pppoe(random)),
        // IEEE 802.3: a length, then LLC.
        _ => (random.of(&[40, 0x05dc, 0x9000]), random.bytes(50)),
    };
    frame.extend(ethertype.to_be_bytes());
    frame.extend(body);
}

fn arp(random: &mut Random) -> Vec<u8> {
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1];
    for _ in 0..2 {
        arp.extend(random.of(&MACS));
        arp.extend(random.of(&IPV4));
    }
    arp
}

fn mpls(random: &mut Random) -> Vec<u8> {
    let labels = 1 + random.below(3);
    let mut stack = Vec::new();
    for label in 0..labels {
        let value = (1000 + label as u32) << 12 | u32::from(label + 1 == labels) << 8 | 64;
        stack.extend(value.to_be_bytes());
    }
    stack.extend(ipv4(random));
    stack
}

fn pppoe(random: &mut Random) -> Vec<u8> {
    let (protocol, body) = if random.one_in(2) { (0x0021_u16, ipv4(random)) } else { (0x0057, ipv6(random)) };
    let mut session = vec![0x11, 0, 0, random.of(&[5, 6])];
    session.extend((body.len() as u16 + 2).to_be_bytes());
    session.extend(protocol.to_be_bytes());
    session.extend(body);
    session
}

fn ipv4(random: &mut Random) -> Vec<u8> {
    let options = random.of(&[0, 0, 0, 4, 12, 40]);
    let protocol = random.of(&[17, 17, 6, 6, 1, 132, 89, 41]);
    let body = transport(random, protocol);
    let mut header = vec![0x45 + options as u8 / 4, random.of(&[0, 1, 0x10, 0xb8])];
    header.extend(((20 + options + body.len()) as u16).to_be_bytes());
    header.extend(random.bytes(2));
    header.extend(random.of(&[0_u16, 0, 0x4000, 0x2000, 0x2010, 0x0005]).to_be_bytes());
    header.extend([random.of(&[0, 1, 4, 31, 32, 63, 64, 255]), protocol, 0, 0]);
    header.extend(random.of(&IPV4));
    header.extend(random.of(&IPV4));
    header.extend(random.bytes(options));
    header.extend(body);
    header
}

fn ipv6(random: &mut Random) -> Vec<u8> {
    let protocol = random.of(&[17, 17, 6, 58, 132]);
    let mut body = transport(random, protocol);
    let mut next = protocol;
    // A fragment header or hop-by-hop options.
    if random.one_in(4) {
        let extension = random.of(&[44_u8, 0]);
        let mut with = vec![protocol, 0, 0, random.of(&[0, 1, 8]), 1, 4, 0, 0];
        with.extend(body);
        (next, body) = (extension, with);
    }
    let mut header = vec![0x60, 0, 0, 0];
    header.extend((body.len() as u16).to_be_bytes());
    header.extend([next, random.of(&[1, 64, 255])]);
    for _ in 0..2 {
        let mut address = [0_u8; 16];
        address[..2].copy_from_slice(&random.of(&[[0x20, 0x01], [0xff, 0x02], [0xfe, 0x80]]));
        address[2..4].copy_from_slice(&[0x0d, 0xb8]);
        address[15] = random.of(&[1, 2, 3]);
        header.extend(address);
    }
    header.extend(body);
    header
}

fn transport(random: &mut Random, protocol: u8) -> Vec<u8> {
    let len = random.of(&[0, 0, 12, 40, 120, 600]);
    let data = random.bytes(len);
    let ports = [random.of(&PORTS).to_be_bytes(), random.of(&PORTS).to_be_bytes()].concat();
    let mut segment = Vec::new();
    match protocol {
        17 => {
            segment.extend(ports);
            segment.extend((8 + data.len() as u16).to_be_bytes());
            segment.extend([0, 0]);
            // Something like a DNS header, both ways and with errors.
            segment.extend([0x12, 0x34, random.of(&[0, 0x80, 0x81]), random.of(&[0, 0x80, 0x83])]);
        }
        6 => {
            segment.extend(ports);
            segment.extend(random.bytes(8));
            segment.extend([random.of(&[0x50, 0x50, 0x80]), random.of(&[2, 16, 18, 17, 24, 4])]);
            segment.extend(random.bytes(6));
            if random.one_in(4) {
                segment.extend(b"GET / HTTP/1.1\r\n");
            }
        }
        1 => segment.extend([random.of(&[0, 8, 3]), 0, 0, 0, 0, 1, 0, 1, 0x45]),
        58 => segment.extend([random.of(&[128, 135, 136]), 0, 0, 0]),
        132 => segment.extend(ports),
        _ => {}
    }
    segment.extend(data);
    segment
}
