//! What is ordinary: web sites, and names that look odd without an attack.

use std::net::{IpAddr, Ipv4Addr};

use super::{Lookup, RESOLVER, Reply};
use crate::random::{Rng, Zipf};
use crate::stage::MILLISECOND_NS;

pub(super) const NOERROR: u8 = 0;
pub(super) const SERVFAIL: u8 = 2;
pub(super) const NXDOMAIN: u8 = 3;

pub(super) const A: u16 = 1;
pub(super) const PTR: u16 = 12;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
pub(super) const HTTPS: u16 = 65;

const CLIENTS: u32 = 3_000;
const SITES: u32 = 5_000;
const SERVERS: u64 = 150;
/// The zone and the server that some attacks hit: they have a twentieth of the look-ups.
pub(super) const BUSY_ZONE: &str = "busy-portal.com";
pub(super) const BUSY_SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 200));

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Who asks for what.
#[derive(Debug)]
pub(crate) struct Habits {
    clients: Zipf,
    sites: Zipf,
    /// The names of content delivery networks that clients use.
    contents: Vec<Vec<u8>>,
    content_popularity: Zipf,
    seed: u64,
}

impl Habits {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let zones =
            ["cloudfront.net", "akamaiedge.net", "googlevideo.com", "fastly-edge.net", "azureedge.net"];
        let content = |index: usize| {
            let label = random_label(&mut Rng::new(index as u64 ^ 0x0063_646e), LETTERS, 10, 18);
            name(&[&label], zones[index % zones.len()])
        };
        Self {
            clients: Zipf::new(CLIENTS, 0.7),
            sites: Zipf::new(SITES, 0.9),
            contents: (0..20_000).map(content).collect(),
            content_popularity: Zipf::new(20_000, 0.6),
            seed: rng.next_u64(),
        }
    }

    /// The queries of one look-up: that of a client, and often that of the resolver.
    pub(super) fn lookups(&self, rng: &mut Rng, second_s: u64) -> Vec<Lookup> {
        let client = self.client(rng);
        match rng.below(1000) {
            0..540 => self.site(rng, client),
            540..590 => self.busy(rng, client),
            590..780 => self.content(rng, client),
            780..840 => reverse(rng, client),
            840..870 => mail(rng),
            870..900 => antivirus(rng, client),
            900..930 => probes(rng, client, second_s),
            930..960 => policies(rng, client),
            960..985 => broken(rng, client),
            985..999 => lame(rng),
            _ => vec![Lookup { reply: Reply::Malformed, ..self.site(rng, client).remove(0) }],
        }
    }

    /// A client: the busiest sends one query in a hundred.
    pub(super) fn client(&self, rng: &mut Rng) -> IpAddr {
        let rank = self.clients.draw(rng);
        let [_, _, high, low] = rank.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(100, 64 + (self.seed % 16) as u8, high, low))
    }

    fn site(&self, rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
        let site = u64::from(self.sites.draw(rng));
        let host = rng.pick(&["www", "api", "img", "m", "static", "login", "app", "edge"]);
        let zone = format!("site{site}.{}", ["com", "net", "org", "de", "io"][(site % 5) as usize]);
        let rcode = rng.weighted(&[(950, NOERROR), (40, NXDOMAIN), (10, SERVFAIL)]);
        let qtype = web_type(rng);
        recursive(rng, client, server(site % SERVERS), name(&[host.as_bytes()], &zone), qtype, rcode)
    }

    fn busy(&self, rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
        let host = format!("node{}", rng.below(60));
        let name = name(&[host.as_bytes()], BUSY_ZONE);
        // Its time to live is short: the resolver asks each time.
        let qtype = web_type(rng);
        let mut lookups = recursive(rng, client, BUSY_SERVER, name, qtype, NOERROR);
        if lookups.len() == 1 {
            lookups.push(upstream(&lookups[0], BUSY_SERVER, rng));
        }
        lookups
    }

    fn content(&self, rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
        let rank = self.content_popularity.draw(rng) as usize;
        let rcode = rng.weighted(&[(990, NOERROR), (10, NXDOMAIN)]);
        let name = self.contents[rank].clone();
        let qtype = web_type(rng);
        recursive(rng, client, server(rank as u64 % 5), name, qtype, rcode)
    }
}

/// The address of a server of zones.
fn server(number: u64) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, (number % 190) as u8 + 1))
}

fn web_type(rng: &mut Rng) -> u16 {
    rng.weighted(&[(55, A), (30, AAAA), (15, HTTPS)])
}

/// A client's query, and in a third of the cases that of the resolver to a server of the zone.
pub(super) fn recursive(
    rng: &mut Rng,
    client: IpAddr,
    server: IpAddr,
    name: Vec<u8>,
    qtype: u16,
    rcode: u8,
) -> Vec<Lookup> {
    let data_bytes = match (rcode, qtype) {
        (NOERROR, A) => 4,
        (NOERROR, AAAA) => 16,
        (NOERROR, TXT) => 120,
        (NOERROR, _) => 40,
        _ => 0,
    };
    let after_ns = rng.log_normal(600_000.0, 0.8) as u64;
    let asked = Lookup {
        client,
        server: RESOLVER,
        name,
        qtype,
        reply: Reply::Answer { after_ns, rcode, data_bytes },
    };
    if rng.chance(0.3) {
        let up = upstream(&asked, server, rng);
        vec![asked, up]
    } else {
        vec![asked]
    }
}

/// The resolver's query for a client's.
fn upstream(asked: &Lookup, server: IpAddr, rng: &mut Rng) -> Lookup {
    let mut up = asked.clone();
    (up.client, up.server) = (RESOLVER, server);
    let distance_ms = match server {
        IpAddr::V4(address) => 4 + u64::from(address.octets()[3]) % 60,
        IpAddr::V6(_) => 20,
    };
    if let Reply::Answer { after_ns, .. } = &mut up.reply {
        *after_ns = rng.log_normal((distance_ms * MILLISECOND_NS) as f64, 0.3) as u64;
        // Packets are lost.
        if rng.chance(0.004) {
            up.reply = Reply::Silence;
        }
    }
    up
}

fn reverse(rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
    let [a, b, c, d, ..] = rng.next_u64().to_be_bytes();
    let name = if rng.chance(0.8) {
        dotted(&format!("{d}.{c}.{b}.{a}.in-addr.arpa"))
    } else {
        let nibbles = random_label(rng, HEX, 20, 20);
        let nibbles: Vec<&[u8]> = nibbles.chunks(1).collect();
        self::name(&nibbles, "0.0.8.b.d.0.1.0.0.2.ip6.arpa")
    };
    let rcode = rng.weighted(&[(60, NOERROR), (38, NXDOMAIN), (2, SERVFAIL)]);
    recursive(rng, client, server(40 + u64::from(a % 10)), name, PTR, rcode)
}

/// A mail server looks a message up: block lists of addresses and of domains, and policies.
fn mail(rng: &mut Rng) -> Vec<Lookup> {
    let client = IpAddr::V4(Ipv4Addr::new(100, 127, 0, 25 + rng.below(3) as u8));
    let [a, b, c, d, ..] = rng.next_u64().to_be_bytes();
    let domain = format!("sender{}.example", rng.below(1_000_000));
    let hash = random_label(rng, HEX, 40, 40);
    let names = [
        dotted(&format!("{d}.{c}.{b}.{a}.zen.spamhaus.org")),
        dotted(&format!("{d}.{c}.{b}.{a}.bl.spamcop.net")),
        dotted(&format!("{domain}.dbl.spamhaus.org")),
        dotted(&format!("{domain}.multi.uribl.com")),
        name(&[&hash], "ebl.msbl.org"),
    ];
    let list = rng.below(names.len() as u64) as usize;
    let rcode = rng.weighted(&[(88, NXDOMAIN), (12, NOERROR)]);
    let [ref first, ..] = names;
    let name = names.get(list).unwrap_or(first).clone();
    recursive(rng, client, server(60 + list as u64), name, A, rcode)
}

/// Hashes of files: long, random, different, and from every desk.
fn antivirus(rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
    let hash = random_label(rng, LETTERS, 26, 52);
    let (name, qtype, rcode) = if rng.chance(0.5) {
        let zone = "avqs.mcafee.example.com";
        (name(&[b"0", &hash], zone), A, rng.weighted(&[(70, NOERROR), (30, NXDOMAIN)]))
    } else {
        (name(&[&hash, b"w", b"10"], "sophosxl.net"), TXT, NOERROR)
    };
    recursive(rng, client, server(70), name, qtype, rcode)
}

/// Browsers that look for a captive portal ask for random names below the local domain.
fn probes(rng: &mut Rng, client: IpAddr, second_s: u64) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    // More at the full hour, when meetings begin.
    let probes = if second_s % 3600 < 60 { 4 } else { 2 };
    for _ in 0..probes {
        let label = random_label(rng, LETTERS, 7, 15);
        lookups.extend(recursive(rng, client, server(80), name(&[&label], "corp.example"), A, NXDOMAIN));
    }
    lookups
}

fn policies(rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
    let label = rng.pick(&["_dmarc", "default._domainkey", "_mta-sts", "selector1._domainkey"]);
    let zone = format!("sender{}.example", rng.below(3_000));
    let rcode = rng.weighted(&[(60, NOERROR), (40, NXDOMAIN)]);
    let server = server(90 + rng.below(20));
    recursive(rng, client, server, dotted(&format!("{label}.{zone}")), TXT, rcode)
}

/// A zone whose signatures have expired long ago.
fn broken(rng: &mut Rng, client: IpAddr) -> Vec<Lookup> {
    let zone = format!("broken{}.example.org", rng.below(4));
    recursive(rng, client, server(120), name(&[b"www"], &zone), A, SERVFAIL)
}

/// The resolver asks servers that never answer.
fn lame(rng: &mut Rng) -> Vec<Lookup> {
    let server = IpAddr::V4(Ipv4Addr::new(203, 0, 113, rng.below(60) as u8));
    let zone = format!("lame{}.net", rng.below(200));
    vec![Lookup { client: RESOLVER, server, name: name(&[b"ns1"], &zone), qtype: A, reply: Reply::Silence }]
}

/// A label of random letters.
pub(super) fn random_label(rng: &mut Rng, letters: &[u8], min: u64, max: u64) -> Vec<u8> {
    (0..rng.between(min, max)).map(|_| rng.pick(letters)).collect()
}

/// Labels in front of a zone, in wire format.
pub(super) fn name(labels: &[&[u8]], zone: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in labels.iter().copied().chain(zone.split('.').map(str::as_bytes)) {
        out.push(label.len() as u8);
        out.extend_from_slice(label);
    }
    out
}

fn dotted(text: &str) -> Vec<u8> {
    name(&[], text)
}
