//! The names in questions: a fixed table by popularity, and endless random ones below a victim's
//! domain.
//!
//! Names are kept in wire format (RFC 1035 section 3.1) and lower case, without the root label.

use std::collections::HashSet;

use super::random::{Rng, mix};

/// Identifies a name; equal keys are equal names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum NameKey {
    /// A name of the table, by popularity.
    Ranked(u32),
    /// A random label below [`VICTIM`], made from the low 60 bits.
    Random(u64),
    /// Random labels below [`VICTIM`], 240 octets in all.
    Long(u64),
}

/// The kind of a name, which decides the types of its queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    /// A host or a domain.
    Host,
    /// The root or a top-level domain.
    Top,
    /// An address in in-addr.arpa or ip6.arpa.
    Reverse,
    /// A service such as `_sip._tcp.example.com`.
    Service,
}

/// The domain of the random names, in wire format.
pub(crate) const VICTIM: &[u8] = b"\x0bvictim-shop\x03com";

const RANDOM_LABEL_LEN: u32 = 12;
/// With their length octets, the octets of [`VICTIM`] and the root label: 240.
const LONG_LABEL_LENS: [u32; 4] = [63, 63, 63, 30];
const TOP_LEVEL: [&str; 16] = [
    "com", "net", "org", "de", "io", "co.uk", "fr", "nl", "com.br", "info", "dev", "com.au", "jp", "eu",
    "shop", "xn--p1ai",
];
const WORDS: [&str; 32] = [
    "shop", "example", "cloud", "media", "data", "play", "news", "bank", "photo", "travel", "green", "smart",
    "web", "north", "micro", "blue", "soft", "game", "health", "auto", "city", "open", "star", "home",
    "tele", "food", "sport", "book", "prime", "global", "fast", "pixel",
];
const HOSTS: [&str; 24] = [
    "www",
    "api",
    "cdn",
    "mail",
    "img",
    "static",
    "login",
    "app",
    "m",
    "ns1",
    "ns2",
    "edge",
    "assets",
    "video",
    "push",
    "time",
    "update",
    "telemetry",
    "sync",
    "auth",
    "graph",
    "ads",
    "metrics",
    "smtp",
];
const REGIONS: [&str; 12] =
    ["eu", "us", "ap", "eu-west-1", "us-east-1", "prod", "a", "b", "fra2", "ams1", "lhr", "dc3"];
const SERVICES: [&str; 6] =
    ["_sip._tcp", "_dmarc", "_ldap._tcp.dc._msdcs", "_443._tcp.www", "_acme-challenge", "_xmpp-client._tcp"];

/// The table of names.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// All names one after the other.
    wire: Vec<u8>,
    /// The end and the kind of each name.
    ends: Vec<(u32, NameKind)>,
}

impl Names {
    /// `count` distinct names, drawn with a generator of their own.
    pub(crate) fn new(count: u32, seed: u64) -> Self {
        let mut rng = Rng::new(mix(seed) ^ 0x006e_616d_6573);
        let mut names = Self { wire: Vec::new(), ends: Vec::with_capacity(count as usize) };
        let mut known: HashSet<Vec<u8>> = HashSet::with_capacity(count as usize);
        let domains = u64::from(count) / 4 + 1;
        let mut name = Vec::new();
        while names.ends.len() < count as usize {
            let number = names.ends.len() as u64;
            let kind = draw_name(&mut rng, domains, number, &mut name);
            if known.contains(&name) {
                // A name below an existing one.
                name.splice(0..0, label(format!("{}{number}", rng.pick(&HOSTS)).as_bytes()));
            }
            if name.len() <= 253 && known.insert(name.clone()) {
                names.wire.extend_from_slice(&name);
                names.ends.push((names.wire.len() as u32, kind));
            }
        }
        names
    }

    /// The name's labels in wire format, without the root label.
    pub(crate) fn wire(&self, key: NameKey, out: &mut Vec<u8>) {
        match key {
            NameKey::Ranked(rank) => out.extend_from_slice(self.ranked(rank)),
            NameKey::Random(bits) => {
                push_random_label(bits, RANDOM_LABEL_LEN, out);
                out.extend_from_slice(VICTIM);
            }
            NameKey::Long(bits) => {
                for (n, len) in LONG_LABEL_LENS.into_iter().enumerate() {
                    push_random_label(mix(bits ^ n as u64), len, out);
                }
                out.extend_from_slice(VICTIM);
            }
        }
    }

    /// The kind of the name.
    pub(crate) fn kind(&self, key: NameKey) -> NameKind {
        match key {
            NameKey::Ranked(rank) => self.ends[rank as usize].1,
            NameKey::Random(_) | NameKey::Long(_) => NameKind::Host,
        }
    }

    fn ranked(&self, rank: u32) -> &[u8] {
        let start = match rank.checked_sub(1) {
            Some(before) => self.ends[before as usize].0,
            None => 0,
        };
        &self.wire[start as usize..self.ends[rank as usize].0 as usize]
    }
}

/// A random name's key, one of `pool` if that is not 0. `long_share` of them are long.
pub(crate) fn random_name(rng: &mut Rng, pool: u64, long_share: f64) -> NameKey {
    let drawn = match pool {
        0 => rng.next_u64(),
        pool => mix(rng.below(pool)),
    };
    let bits = drawn >> 4;
    // Drawn from the name itself: it then is always as long.
    let is_long = long_share > 0.0 && Rng::new(bits).chance(long_share);
    if is_long { NameKey::Long(bits) } else { NameKey::Random(bits) }
}

/// A label of so many letters and digits, of which the first twelve are made from the low 60 bits.
fn push_random_label(bits: u64, len: u32, out: &mut Vec<u8>) {
    out.push(len as u8);
    out.extend((0..len).map(|digit| {
        b"abcdefghijklmnopqrstuvwxyz234567"[(bits >> (5 * (digit % RANDOM_LABEL_LEN)) & 31) as usize]
    }));
}

/// A label with its length, cut at 63 bytes.
fn label(text: &[u8]) -> impl Iterator<Item = u8> {
    let text = &text[..text.len().min(63)];
    std::iter::once(text.len() as u8).chain(text.iter().copied())
}

fn push_labels(out: &mut Vec<u8>, dotted: &str) {
    for part in dotted.split('.') {
        out.extend(label(part.as_bytes()));
    }
}

fn draw_name(rng: &mut Rng, domains: u64, number: u64, out: &mut Vec<u8>) -> NameKind {
    out.clear();
    match rng.below(1000) {
        0..3 => {
            let top = TOP_LEVEL[(number % TOP_LEVEL.len() as u64) as usize];
            let top = top.rsplit('.').next().unwrap_or(top);
            if number % 5 != 4 {
                push_labels(out, top);
            }
            NameKind::Top
        }
        3..18 => {
            push_reverse(rng, out);
            NameKind::Reverse
        }
        18..28 => {
            push_labels(out, rng.pick(&SERVICES));
            push_domain(rng, domains, out);
            NameKind::Service
        }
        28..30 => {
            // Names that need escapes when they are written down.
            let odd: &[u8] =
                rng.pick(&[b"j\xc3\xbcrgen".as_slice(), b"first.last", b"tab\x09bed", b"\xff\x00"]);
            out.extend(label(odd));
            push_domain(rng, domains, out);
            NameKind::Host
        }
        shape => {
            if shape >= 940 {
                push_labels(out, &format!("{}{}", rng.pick(&WORDS), rng.below(100)));
            }
            if shape >= 250 {
                push_labels(out, rng.pick(&HOSTS));
            }
            if shape >= 760 {
                push_labels(out, rng.pick(&REGIONS));
            }
            push_domain(rng, domains, out);
            NameKind::Host
        }
    }
}

/// A registered domain; low numbers have more names than high ones.
fn push_domain(rng: &mut Rng, domains: u64, out: &mut Vec<u8>) {
    let skew = rng.unit();
    let domain = (skew * skew * domains as f64) as u64;
    let scattered = mix(domain);
    let first = WORDS[(scattered % 32) as usize];
    let second = WORDS[(scattered / 32 % 32) as usize];
    let top = TOP_LEVEL[Rng::new(domain).weighted(&[
        (45, 0),
        (12, 1),
        (8, 2),
        (6, 3),
        (6, 4),
        (4, 5),
        (3, 6),
        (3, 7),
        (3, 8),
        (2, 9),
        (2, 10),
        (2, 11),
        (1, 12),
        (1, 13),
        (1, 14),
        (1, 15),
    ])];
    match scattered % 3 {
        0 => push_labels(out, &format!("{first}{domain}.{top}")),
        1 => push_labels(out, &format!("{first}-{second}{domain}.{top}")),
        _ => push_labels(out, &format!("{first}{domain}.{second}-net.{top}")),
    }
}

fn push_reverse(rng: &mut Rng, out: &mut Vec<u8>) {
    let bits = rng.next_u64();
    if rng.chance(0.8) {
        let [a, b, c, ..] = bits.to_be_bytes();
        push_labels(out, &format!("{a}.{b}.{c}.100.in-addr.arpa"));
        return;
    }
    for nibble in 0..16 {
        push_labels(out, &format!("{:x}", bits >> (4 * nibble) & 15));
    }
    push_labels(out, "0.0.0.0.2.4.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_come_from_their_pool_and_long_ones_have_240_octets() {
        let (names, mut rng) = (Names::new(1, 1), Rng::new(1));
        let mut seen = HashSet::new();
        for _ in 0..2_000 {
            let key = random_name(&mut rng, 100, 0.5);
            let mut wire = Vec::new();
            names.wire(key, &mut wire);
            assert_eq!(wire.len() + 1 == 240, matches!(key, NameKey::Long(_)));
            seen.insert(wire);
        }
        assert_eq!(seen.len(), 100);
        assert!(matches!(random_name(&mut rng, 0, 0.0), NameKey::Random(_)));
    }

    #[test]
    fn names_are_distinct_and_have_one_to_many_labels() {
        let names = Names::new(5_000, 1);
        let mut seen = HashSet::new();
        let mut label_counts = HashSet::new();
        for rank in 0..5_000 {
            let mut wire = Vec::new();
            names.wire(NameKey::Ranked(rank), &mut wire);
            let mut rest = wire.as_slice();
            let mut labels = 0;
            while let Some((&len, after)) = rest.split_first() {
                assert!((1..=63).contains(&len));
                rest = &after[usize::from(len)..];
                labels += 1;
            }
            label_counts.insert(labels);
            assert!(seen.insert(wire.to_ascii_lowercase()), "rank {rank} comes twice");
        }
        for labels in 0..=5 {
            assert!(label_counts.contains(&labels), "no name of {labels} labels");
        }
    }
}
