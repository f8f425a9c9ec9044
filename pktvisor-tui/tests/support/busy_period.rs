//! The period of a busy name server.

use pktvisor_api::{Period, Quantiles, TopEntry};

pub(crate) fn list(names: &[&str], largest: u64) -> Vec<TopEntry> {
    (1..)
        .zip(names)
        .map(|(place, name)| {
            let estimate = largest / place;
            TopEntry {
                name: (*name).to_owned(),
                estimate,
                lower: Some(estimate - estimate / 50),
                upper: Some(estimate + estimate / 100),
                scaled: Some(estimate),
            }
        })
        .collect()
}

/// A busy authoritative server: `seconds` of about 12,000 queries a second.
pub(crate) fn busy(start_ts: i64, seconds: i64) -> Period {
    let mut period = Period::default();
    period.period.start_ts = start_ts;
    period.period.length = seconds;
    let queries = 12_000 * seconds.unsigned_abs() + start_ts.unsigned_abs() % 977;
    let replies = queries - queries / 80;
    let total = (queries + replies) * 11 / 10;
    fill_dns(&mut period, queries, replies);
    fill_packets(&mut period, total);
    period
}

fn fill_packets(period: &mut Period, total: u64) {
    let packets = &mut period.packets;
    packets.total = total;
    packets.tcp = total / 12;
    packets.other_l4 = total / 150;
    packets.udp = total - packets.tcp - packets.other_l4;
    packets.ipv6 = total / 6;
    packets.non_ip = 42;
    packets.ipv4 = total - packets.ipv6 - packets.non_ip;
    packets.sent = total * 49 / 100;
    packets.received = total - packets.sent;
    packets.deep_samples = total;
    packets.bytes_total = total * 170;
    packets.bytes_in = packets.received * 74;
    packets.bytes_out = packets.sent * 270;
    packets.sizes = [3, total / 2, total / 4, total / 8, total / 20, total / 30, 12];
    packets.tcp_syn = total / 100;
    packets.tcp_syn_ack = total / 102;
    packets.tcp_rst = total / 1000;
    packets.fragments = 17;
    packets.malformed = 3;
    packets.cardinality.src_ips_in = 48_211;
    packets.cardinality.dst_ips_out = 47_903;
    packets.rates.pps_in = Some(Quantiles { p50: 12_310, p90: 13_350, p95: 13_800, p99: 14_911 });
    packets.rates.pps_out = Some(Quantiles { p50: 12_110, p90: 13_150, p95: 13_600, p99: 14_511 });
    packets.top_ipv4 =
        list(&["192.0.2.1", "192.0.2.77", "198.51.100.4", "203.0.113.9", "192.0.2.200"], total / 9);
    packets.top_ipv6 = list(&["2001:db8::53", "2001:db8:7::1", "2001:db8:ffff:ffff:ffff::1"], total / 40);
    packets.top_geo_loc =
        list(&["NA/United States/VA/Ashburn", "EU/Sweden/E/Linköping", "AS/Bhutan", "Unknown"], total / 4);
    packets.top_asn = list(&["1221/Telstra Pty Ltd", "237/Merit Network Inc.", "Unknown"], total / 3);
}

fn fill_dns(period: &mut Period, queries: u64, replies: u64) {
    let dns = &mut period.dns;
    let messages = &mut dns.wire_packets;
    (messages.queries, messages.replies, messages.total) = (queries, replies, queries + replies);
    messages.tcp = messages.total / 100;
    messages.udp = messages.total - messages.tcp;
    messages.ipv6 = messages.total / 6;
    messages.ipv4 = messages.total - messages.ipv6;
    (messages.nxdomain, messages.srvfail, messages.refused) = (replies / 16, replies / 40, replies / 140);
    messages.noerror = replies - messages.nxdomain - messages.srvfail - messages.refused - 5;
    messages.malformed = 12;
    period.sampling.messages = messages.total;
    dns.cardinality.qname = 331_022;
    dns.xact.counts.total = replies;
    dns.xact.counts.timed_out = queries / 900;
    dns.xact.counts.late = queries / 9000;
    dns.xact.counts.orphans = queries / 4000;
    dns.xact.counts.duplicates = 3;
    dns.xact.counts.retransmitted = queries / 700;
    dns.xact.outbound.total = replies / 33;
    dns.xact.inbound.total = replies - dns.xact.outbound.total;
    dns.xact.inbound.quantiles_us = Some(Quantiles { p50: 412, p90: 1_230, p95: 2_210, p99: 18_300 });
    dns.xact.outbound.quantiles_us =
        Some(Quantiles { p50: 12_412, p90: 41_230, p95: 92_210, p99: 1_218_300 });
    dns.xact.inbound.top_slow = list(&["slow.zone.example.net", "slower.zone.example.net"], 5_000);
    dns.xact.outbound.top_slow = list(&["far.example.org", "farther.example.org"], 500);
    dns.edns.queries = queries * 4 / 5;
    dns.edns.dnssec_ok = queries / 2;
    dns.edns.client_subnet = queries / 30;
    dns.edns.empty_answers = replies / 10;
    dns.reassembly.gaps = 2;
    dns.top_qname2 =
        list(&[".example.com", ".example.net", ".in-addr.arpa", "example.org", ".", "com"], queries);
    dns.top_qname3 = list(&[".www.example.com", "a.example.net", ".2.0.192.in-addr.arpa"], queries / 2);
    dns.top_nxdomain = list(&["wpad.corp.local", "_ldap._tcp.dc._msdcs.corp.local"], messages.nxdomain / 2);
    dns.top_srvfail = list(&["lame.broken.example", "lamer.broken.example"], messages.srvfail / 2);
    dns.top_refused = list(&["version.bind"], messages.refused);
    dns.top_rcode = list(&["NOERROR", "NXDOMAIN", "SRVFAIL", "REFUSED"], messages.noerror);
    dns.top_qtype = list(&["A", "AAAA", "HTTPS", "PTR", "MX", "TXT", "TYPE65534"], queries);
    dns.top_udp_ports = list(&["53124", "40001", "1024"], queries / 1000);
    fill_sides(period, queries, replies);
}

fn fill_sides(period: &mut Period, queries: u64, replies: u64) {
    const CLIENTS: [&str; 4] =
        ["192.0.2.66", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "192.0.2.67", "192.0.2.3"];
    const SERVERS: [&str; 2] = ["198.51.100.53", "2001:db8:53::1"];
    let dns = &mut period.dns;
    let inbound = &mut dns.inbound;
    (inbound.queries, inbound.replies, inbound.timed_out) =
        (queries * 32 / 33, replies * 32 / 33, queries / 2000);
    (inbound.noerror, inbound.nxdomain, inbound.srvfail) = (replies * 10 / 12, replies / 17, replies / 40);
    (inbound.rd_queries, inbound.do_queries, inbound.tcp_queries) = (queries, queries / 2, queries / 100);
    (inbound.aa_replies, inbound.tc_replies, inbound.nodata) = (replies / 2, replies / 90, replies / 11);
    (inbound.query_bytes, inbound.response_bytes, inbound.clients) = (queries * 41, replies * 212, 48_211);
    inbound.query_size_bytes = Some(Quantiles { p50: 41, p90: 60, p95: 71, p99: 99 });
    inbound.response_size_bytes = Some(Quantiles { p50: 190, p90: 412, p95: 500, p99: 1_232 });
    inbound.size_ratio_pct = Some(Quantiles { p50: 480, p90: 900, p95: 1_100, p99: 3_000 });
    inbound.top_clients = list(&CLIENTS, queries / 3);
    inbound.top_clients_nxdomain = list(&CLIENTS[1..], replies / 40);
    inbound.top_clients_timed_out = list(&CLIENTS[2..], queries / 4000);
    inbound.top_clients_response_bytes = list(&CLIENTS, replies * 90);
    inbound.top_client_prefixes = list(&["192.0.2.0/24", "2001:db8:aaaa::/56"], queries / 2);
    inbound.top_qtype = list(&["A", "AAAA", "HTTPS"], queries);
    let outbound = &mut dns.outbound;
    (outbound.queries, outbound.replies, outbound.timed_out) = (queries / 33, replies / 33, queries / 1600);
    (outbound.noerror, outbound.nxdomain, outbound.srvfail) = (replies / 40, replies / 400, replies / 500);
    outbound.servers = 312;
    outbound.top_servers = list(&SERVERS, queries / 40);
    outbound.top_servers_timed_out = list(&SERVERS[..1], queries / 1800);
    outbound.top_servers_slow = list(&SERVERS[1..], replies / 330);
    dns.top_zones_nxdomain = list(&["corp.local", "shop.example"], replies / 20);
    dns.top_zones_timed_out = list(&["broken.example"], queries / 1600);
    dns.top_nodata = list(&["v4only.example", "old.example"], replies / 30);
    dns.top_qname_by_response_bytes = list(&["big.example"], replies * 30);
    dns.top_ede = list(&["Stale Answer", "DNSSEC Bogus"], replies / 900);
}
