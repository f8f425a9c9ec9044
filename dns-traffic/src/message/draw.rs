//! Draws exchanges: name, type, EDNS and response code in the proportions of a busy resolver.

use super::{DnsExchange, EdnsOptions, opcode, qtype, rcode};
use crate::facts::MessageTransport;
use crate::names::{NameKey, NameKind};
use crate::random::mix;
use crate::stage::{AskedServer, Stage};

/// Query types of host names, per ten thousand.
const HOST_TYPES: [(u32, u16); 22] = [
    (5400, qtype::A),
    (2300, qtype::AAAA),
    (1300, qtype::HTTPS),
    (200, qtype::TXT),
    (180, qtype::NS),
    (150, qtype::MX),
    (120, qtype::SOA),
    (100, qtype::DS),
    (60, qtype::DNSKEY),
    (40, qtype::CNAME),
    (40, qtype::SVCB),
    (30, qtype::CAA),
    (20, qtype::ANY),
    (20, qtype::SPF),
    (10, qtype::RRSIG),
    (8, qtype::NAPTR),
    (6, 13),  // HINFO
    (5, 29),  // LOC
    (4, 44),  // SSHFP
    (3, 256), // URI
    (2, 10),  // NULL
    (2, 65399),
];

/// Rare response codes, for any name.
const RARE_RCODES: [(u32, u16); 5] =
    [(40, rcode::FORMERR), (30, rcode::NOTIMP), (60, rcode::SERVFAIL), (20, rcode::REFUSED), (10, 9)];
/// Rare response codes that need EDNS: BADVERS, BADKEY, BADNAME, BADTRUNC, BADCOOKIE. Those whose
/// low four bits read SERVFAIL, NXDOMAIN or REFUSED are left out, because it is debatable to which
/// lists they belong.
const RARE_EXTENDED_RCODES: [(u32, u16); 5] =
    [(60, rcode::BADVERS), (4, 17), (2, 20), (2, 22), (40, rcode::BADCOOKIE)];
/// Results of dynamic updates (RFC 2136): YXDOMAIN, YXRRSET, NXRRSET, NOTAUTH, NOTZONE among them.
const UPDATE_RCODES: [(u32, u16); 7] =
    [(50, rcode::NOERROR), (20, rcode::REFUSED), (5, 6), (5, 7), (10, 8), (10, 9), (5, 10)];

/// Draws an exchange with a server.
pub(crate) fn draw_exchange(
    stage: &mut Stage,
    transport: MessageTransport,
    server: AskedServer,
) -> DnsExchange {
    let random = stage.rng.chance(stage.config.random_subdomains);
    let key = if random {
        let (pool, long_share) = (stage.config.random_pool, stage.config.long_names);
        super::super::names::random_name(&mut stage.rng, pool, long_share)
    } else {
        NameKey::Ranked(stage.popularity.draw(&mut stage.rng))
    };
    let rng = &mut stage.rng;
    let bits = rng.next_u64();
    let mut exchange = DnsExchange {
        id: bits as u16,
        opcode: opcode::QUERY,
        question: Some((key, qtype::A)),
        mixed_case: rng.chance(stage.config.mixed_case),
        recursion: server == AskedServer::Resolver,
        edns: None,
        rcode: rcode::NOERROR,
        padded_to_bytes: 0,
        seed: mix(bits),
    };
    if random {
        exchange.rcode = rcode::NXDOMAIN;
        exchange.edns = draw_edns(stage);
        return exchange;
    }
    match rng.below(1000) {
        0..2 => {
            exchange.opcode = opcode::UPDATE;
            exchange.recursion = false;
            exchange.question = Some((key, qtype::SOA));
            exchange.rcode = rng.weighted(&UPDATE_RCODES);
            return exchange;
        }
        2..3 => {
            exchange.opcode = opcode::NOTIFY;
            exchange.recursion = false;
            exchange.question = Some((key, qtype::SOA));
            return exchange;
        }
        3..6 if transport == MessageTransport::Tcp => {
            exchange.opcode = opcode::DSO;
            exchange.recursion = false;
            exchange.question = None;
            exchange.rcode = rcode::DSOTYPENI;
            return exchange;
        }
        _ => {}
    }
    let kind = stage.names.kind(key);
    exchange.question = Some((key, draw_type(stage, kind)));
    exchange.edns = draw_edns(stage);
    exchange.rcode = draw_rcode(stage, key, exchange.edns.is_some());
    if stage.rng.chance(0.004) {
        exchange.padded_to_bytes = stage.rng.between(600, 4000) as u16;
    }
    exchange
}

fn draw_type(stage: &mut Stage, kind: NameKind) -> u16 {
    let rng = &mut stage.rng;
    match kind {
        NameKind::Host => rng.weighted(&HOST_TYPES),
        NameKind::Top => rng.weighted(&[(6, qtype::NS), (2, qtype::DNSKEY), (2, qtype::A), (1, qtype::SOA)]),
        NameKind::Reverse => rng.weighted(&[(97, qtype::PTR), (3, qtype::SOA)]),
        NameKind::Service => rng.weighted(&[(6, qtype::SRV), (2, qtype::TXT), (1, qtype::TLSA)]),
    }
}

fn draw_edns(stage: &mut Stage) -> Option<EdnsOptions> {
    let rng = &mut stage.rng;
    rng.chance(0.75).then(|| EdnsOptions {
        udp_size: rng.weighted(&[(60, 1232), (25, 4096), (8, 512), (5, 1400), (2, 1472)]),
        dnssec_ok: rng.chance(0.35),
        client_subnet: rng.chance(0.05),
        cookie: rng.chance(0.12),
    })
}

/// A name that does not exist never exists; the most popular ones always do. A server fails now and
/// then.
fn draw_rcode(stage: &mut Stage, key: NameKey, edns: bool) -> u16 {
    let rng = &mut stage.rng;
    match rng.below(1000) {
        0..6 => return rng.weighted(&RARE_RCODES),
        6..8 if edns => return rng.weighted(&RARE_EXTENDED_RCODES),
        _ => {}
    }
    let NameKey::Ranked(rank) = key else { return rcode::NXDOMAIN };
    if rank < 8 {
        return rcode::NOERROR;
    }
    match mix(u64::from(rank) ^ stage.config.seed.rotate_left(17)) % 100 {
        0..12 => rcode::NXDOMAIN,
        12..15 => rcode::SERVFAIL,
        15..18 => rcode::REFUSED,
        _ => rcode::NOERROR,
    }
}
