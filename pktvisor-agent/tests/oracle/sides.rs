//! DNS by direction, and the names, zones and subnets of outcomes, against their answers.

use dns_traffic::{SideAnswer, Summary};
use pktvisor_api as api;

use super::compare::{CARDINALITY_ERROR, Differences, Lists};

macro_rules! numbers {
    ($to:expr, $side:literal, $found:expr, $answer:expr, $($field:ident)*) => {
        $($to.exact(concat!($side, ".", stringify!($field)), $found.$field, $answer.$field);)*
    };
}

/// The rows that both directions share.
macro_rules! shared_rows {
    ($to:expr, $side:literal, $found:expr, $answer:expr, $codes:expr) => {
        let (found, answer): (_, &SideAnswer) = ($found, $answer);
        numbers!($to, $side, found, answer, queries replies tcp_queries ipv6_queries query_bytes response_bytes
            noerror nxdomain srvfail refused nodata malformed timed_out orphans rd_queries do_queries ecs_queries
            cookie_queries aa_replies tc_replies ra_replies);
        $to.exact(concat!($side, ".never"), [found.referrals, found.ad_queries, found.cd_queries], [0; 3]);
        $to.exact(concat!($side, ".never"), [found.ad_replies, found.cookie_replies], [0; 2]);
        $to.quantiles(concat!($side, ".query_size"), found.query_size_bytes, answer.query_size_bytes);
        $to.quantiles(concat!($side, ".response_size"), found.response_size_bytes, answer.response_size_bytes);
        $to.quantiles(concat!($side, ".size_ratio"), found.size_ratio_pct, answer.size_ratio_pct);
        $to.list(concat!($side, ".top_opcode"), &found.top_opcode, &answer.top_opcode, $codes);
        $to.list(concat!($side, ".top_rcode"), &found.top_rcode, &answer.top_rcode, $codes);
        $to.list(concat!($side, ".top_qtype"), &found.top_qtype, &answer.top_qtype, $codes);
        let questions = answer.top_qtype.sum();
        let of_class_in = found.top_qclass.iter().map(|entry| (entry.name.as_str(), entry.estimate));
        let wanted = (questions > 0).then_some(("IN", questions));
        $to.exact(concat!($side, ".top_qclass"), of_class_in.collect::<Vec<_>>(), wanted.into_iter().collect());
    };
}

/// All rows of `dns.in` and `dns.out`, and the lists of `dns` that came with them, but for slow
/// transactions, which `slowness` compares.
pub(crate) fn sides(differences: &mut Differences, found: &api::Dns, summary: &Summary, lists: Lists) {
    let answer = &summary.dns;
    let codes = if lists == Lists::Archived { lists } else { Lists::Exact };
    shared_rows!(differences, "in", &found.inbound, &answer.inbound, codes);
    shared_rows!(differences, "out", &found.outbound, &answer.outbound, codes);
    let (clients, servers) = (found.inbound.clients, found.outbound.servers);
    differences.within("in.clients", clients, answer.inbound.parties, CARDINALITY_ERROR, 1);
    differences.within("out.servers", servers, answer.outbound.parties, CARDINALITY_ERROR, 1);
    for (field, list, truth) in [
        ("top_noerror", &found.top_noerror, &answer.top_noerror),
        ("top_nodata", &found.top_nodata, &answer.top_nodata),
        ("top_timed_out", &found.top_timed_out, &answer.top_timed_out),
        (
            "top_qname_by_response_bytes",
            &found.top_qname_by_response_bytes,
            &answer.top_qname_by_response_bytes,
        ),
        ("top_zones_nxdomain", &found.top_zones_nxdomain, &answer.top_zones_nxdomain),
        ("top_zones_srvfail", &found.top_zones_srvfail, &answer.top_zones_srvfail),
        ("top_zones_timed_out", &found.top_zones_timed_out, &answer.top_zones_timed_out),
        ("top_ecs_subnets", &found.top_ecs_subnets, &answer.top_ecs_subnets),
    ] {
        differences.list(field, list, truth, lists);
    }
    let (list, truth) = (&found.inbound, &answer.inbound);
    for (field, list, truth) in [
        ("top_clients", &list.top_clients, &truth.top),
        ("top_clients_nxdomain", &list.top_clients_nxdomain, &truth.top_nxdomain),
        ("top_clients_srvfail", &list.top_clients_srvfail, &truth.top_srvfail),
        ("top_clients_refused", &list.top_clients_refused, &truth.top_refused),
        ("top_clients_malformed", &list.top_clients_malformed, &truth.top_malformed),
        ("top_clients_timed_out", &list.top_clients_timed_out, &truth.top_timed_out),
        ("top_clients_truncated", &list.top_clients_truncated, &truth.top_truncated),
        ("top_clients_tcp", &list.top_clients_tcp, &truth.top_tcp),
        ("top_clients_response_bytes", &list.top_clients_response_bytes, &truth.top_response_bytes),
        ("top_clients_amplified", &list.top_clients_amplified, &truth.top_amplified),
    ] {
        differences.list(field, list, truth, lists);
    }
    let (list, truth) = (&found.outbound, &answer.outbound);
    for (field, list, truth) in [
        ("top_servers", &list.top_servers, &truth.top),
        ("top_servers_nxdomain", &list.top_servers_nxdomain, &truth.top_nxdomain),
        ("top_servers_srvfail", &list.top_servers_srvfail, &truth.top_srvfail),
        ("top_servers_refused", &list.top_servers_refused, &truth.top_refused),
        ("top_servers_malformed", &list.top_servers_malformed, &truth.top_malformed),
        ("top_servers_timed_out", &list.top_servers_timed_out, &truth.top_timed_out),
        ("top_servers_truncated", &list.top_servers_truncated, &truth.top_truncated),
        ("top_servers_tcp", &list.top_servers_tcp, &truth.top_tcp),
        ("top_servers_response_bytes", &list.top_servers_response_bytes, &truth.top_response_bytes),
    ] {
        differences.list(field, list, truth, lists);
    }
}
