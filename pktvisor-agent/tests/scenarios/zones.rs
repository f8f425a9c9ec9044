//! The zones of the upstream, and the names that clients query.

use std::fmt::Write as _;

/// The zone that floods of random names go to.
pub(crate) const VICTIM: &str = "shop.test";
/// Its large answer does not fit into 512 bytes, nor into the 1232 of a resolver (DNS Flag Day 2020).
pub(crate) const LARGE_ANSWER: &str = "large.site0.test";
/// Its zone.
pub(crate) const LARGE_ZONE: &str = "site0.test";

const ZONES: usize = 12;
/// Few enough that the resolver has most answers in its cache.
const HOSTS: usize = 30;
/// Names are cached for so short a time that the resolver keeps asking its upstream.
const TTL_S: u32 = 4;

/// A zone and the text of its file.
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// All zones that are served.
pub(crate) fn all() -> Vec<Zone> {
    let ordinary = (0..ZONES).map(|n| format!("site{n}.test"));
    ordinary.chain([VICTIM.to_owned()]).map(|name| Zone { text: zone_file(&name), name }).collect()
}

fn zone_file(name: &str) -> String {
    let mut text = format!(
        "$ORIGIN {name}.\n$TTL {TTL_S}\n@ SOA ns hostmaster 1 3600 600 86400 {TTL_S}\n@ NS ns\n\
         ns A 10.53.1.1\nwww A 198.51.100.80\n"
    );
    for n in 0..HOSTS {
        let _ = writeln!(text, "host{n} A 198.51.100.{n}\nhost{n} AAAA 2001:db8::{n:x}");
    }
    text += "large 0 TXT";
    for n in 0..20 {
        let _ = write!(text, " \"{n:0>100}\"");
    }
    text + "\n"
}

/// A dnsperf data file of ordinary queries: names of all zones in mixed order, a few of which do
/// not exist. Clients with different numbers query them in a different order.
pub(crate) fn ordinary_queries(client: u32) -> String {
    let mut random = Random::new(client);
    let mut text = String::new();
    for _ in 0..2000 {
        let zone = random.below(ZONES);
        let host = random.below(HOSTS);
        let line = match random.below(20) {
            0 => writeln!(text, "mistyped{host}.site{zone}.test A"),
            1..6 => writeln!(text, "host{host}.site{zone}.test AAAA"),
            _ => writeln!(text, "host{host}.site{zone}.test A"),
        };
        line.unwrap();
    }
    text
}

/// Queries for names below [`VICTIM`] that do not exist, hardly two of them equal.
pub(crate) fn random_subdomains() -> impl Iterator<Item = Vec<u8>> + Send {
    let mut random = Random::new(0);
    std::iter::repeat_with(move || {
        let label: String = (0..12).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
        query(random.below(1 << 16) as u16, &format!("{label}.{VICTIM}"))
    })
}

/// Queries that end in the middle of their question, or whose name runs past their end.
pub(crate) fn malformed_queries() -> impl Iterator<Item = Vec<u8>> + Send {
    let mut random = Random::new(0);
    std::iter::repeat_with(move || {
        let mut message = query(random.below(1 << 16) as u16, "www.site0.test");
        match random.below(2) {
            0 => message.truncate(HEADER + 1 + random.below(10)),
            _ => message[HEADER] = 63,
        }
        message
    })
}

/// Length of the header of a DNS message (RFC 1035, section 4.1.1).
const HEADER: usize = 12;

/// A query for the addresses of this name, with recursion desired.
fn query(id: u16, name: &str) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// A small generator (xorshift, Marsaglia 2003), so that each run of a test is the same.
struct Random(u64);

impl Random {
    fn new(seed: u32) -> Self {
        Self(u64::from(seed) * 0x9e37_79b9 + 0x2545_f491)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
