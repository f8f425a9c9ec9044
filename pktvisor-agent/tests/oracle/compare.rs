//! Compares a summary with its answer, field by field, and reports all differences at once.

use std::fmt::Write as _;

use dns_traffic::{Counts, ExactQuantiles, Summary};
use pktvisor_api::{self as api, TopEntry};

use super::sides::sides;

const LISTED: usize = 10;
/// Four standard errors of an estimate of few distinct items.
pub(crate) const CARDINALITY_ERROR: f64 = 0.024;

/// Whether all items fit into the tables behind the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    /// They fit: the ten most frequent are listed with their exact counts.
    Exact,
    /// They do not: the truth lies between the bounds. Codes (types, response codes, ports) all
    /// fit.
    Bounded,
    /// Codes do not fit either.
    Archived,
}

/// The differences.
#[derive(Default)]
pub(crate) struct Differences(String);

/// Fails with all differences between the summary of the agent and the answer.
#[track_caller]
pub(crate) fn assert_agrees(what: &str, found: &api::Period, answer: &Summary, lists: Lists) {
    let mut differences = Differences::default();
    let span = (found.period.start_ts, found.period.length);
    differences.exact("period", span, (answer.period.start_ts as i64, answer.period.length as i64));
    packets(&mut differences, &found.packets, answer, lists);
    messages(&mut differences, &found.dns, answer);
    dns_lists(&mut differences, &found.dns, answer, lists);
    sides(&mut differences, &found.dns, answer, lists);
    transactions(&mut differences, &found.dns.xact, answer);
    reassembly(&mut differences, &found.dns.reassembly);
    differences.exact("deep_samples", found.packets.deep_samples, answer.packets.total);
    differences.exact("sampling.rate", found.sampling.rate, 1.0);
    differences.exact("sampling.messages", found.sampling.messages, answer.dns.wire_packets.total);
    assert!(differences.0.is_empty(), "{what}:\n{}", differences.0);
}

/// As [`assert_agrees`], but only for numbers that are exact at any sampling rate.
#[track_caller]
pub(crate) fn assert_wire_agrees(what: &str, found: &api::Period, answer: &Summary) {
    let mut differences = Differences::default();
    packets(&mut differences, &found.packets, answer, Lists::Exact);
    messages(&mut differences, &found.dns, answer);
    assert!(differences.0.is_empty(), "{what}:\n{}", differences.0);
}

macro_rules! exact_fields {
    ($to:expr, $found:expr, $answer:expr, $($field:ident)*) => {
        $($to.exact(stringify!($field), $found.$field, $answer.$field);)*
    };
}

impl Differences {
    pub(crate) fn exact<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, found: T, truth: T) {
        if found != truth {
            let _ = writeln!(self.0, "  {field}: found {found:?}, truth {truth:?}");
        }
    }

    /// Within `share` of the truth, or exact if `share` of it is less than `floor`.
    pub(crate) fn within(&mut self, field: &str, found: u64, truth: u64, share: f64, floor: u64) {
        let allowed = ((truth as f64 * share) as u64).max(floor);
        if found.abs_diff(truth) > allowed {
            let _ = writeln!(self.0, "  {field}: found {found}, truth {truth}");
        }
    }

    pub(crate) fn quantiles(
        &mut self,
        field: &str,
        found: Option<api::Quantiles>,
        truth: Option<ExactQuantiles>,
    ) {
        let (Some(found), Some(truth)) = (found, truth) else {
            return self.exact(field, found.is_some(), truth.is_some());
        };
        let values = [
            ("p50", found.p50, truth.p50),
            ("p90", found.p90, truth.p90),
            ("p95", found.p95, truth.p95),
            ("p99", found.p99, truth.p99),
        ];
        for (percentile, found, truth) in values {
            let share = if truth < 256 { 0.0 } else { 0.01 };
            self.within(&format!("{field}.{percentile}"), found, truth, share, 0);
        }
    }

    pub(crate) fn list(&mut self, field: &str, found: &[TopEntry], truth: &Counts, lists: Lists) {
        self.exact(&format!("{field} entries"), found.len(), truth.distinct().min(LISTED));
        if !found.is_sorted_by(|a, b| (b.estimate, &a.name) < (a.estimate, &b.name)) {
            let _ = writeln!(self.0, "  {field} is not in order");
        }
        if lists == Lists::Exact {
            let entries: Vec<_> =
                found.iter().map(|e| (e.name.as_str(), e.estimate, e.lower, e.upper)).collect();
            let wanted: Vec<_> =
                truth.top(LISTED).into_iter().map(|(name, n)| (name, n, Some(n), Some(n))).collect();
            return self.exact(field, entries, wanted);
        }
        for entry in found {
            let count = truth.count(&entry.name);
            let (lower, upper) = (entry.lower.unwrap_or(u64::MAX), entry.upper.unwrap_or(0));
            let ordered = lower <= entry.estimate && entry.estimate <= upper;
            if !ordered || count < lower || count > upper {
                let _ = writeln!(self.0, "  {field}: {entry:?} counts {count}");
            }
        }
    }
}

fn packets(differences: &mut Differences, found: &api::Packets, summary: &Summary, lists: Lists) {
    let answer = &summary.packets;
    exact_fields!(differences, found, answer, total udp tcp other_l4 ipv4 ipv6 non_ip received sent unknown
        bytes_total bytes_in bytes_out fragments vlan malformed tunnelled tcp_syn tcp_syn_ack tcp_rst sizes);
    differences.exact("out_of_order", found.out_of_order, 0);
    differences.exact("time_jumps", found.time_jumps, 0);
    let (estimates, truth) = (&found.cardinality, &answer.cardinality);
    differences.within("src_ips_in", estimates.src_ips_in, truth.src_ips_in, CARDINALITY_ERROR, 1);
    differences.within("dst_ips_out", estimates.dst_ips_out, truth.dst_ips_out, CARDINALITY_ERROR, 1);
    differences.quantiles("pps_in", found.rates.pps_in, answer.rates.pps_in);
    differences.quantiles("pps_out", found.rates.pps_out, answer.rates.pps_out);
    differences.list("top_ipv4", &found.top_ipv4, &answer.top_ipv4, lists);
    differences.list("top_ipv6", &found.top_ipv6, &answer.top_ipv6, lists);
}

fn messages(differences: &mut Differences, found: &api::Dns, summary: &Summary) {
    let (found, answer) = (&found.wire_packets, &summary.dns.wire_packets);
    exact_fields!(differences, found, answer, total queries replies tcp udp ipv4 ipv6 noerror nxdomain srvfail
        refused malformed);
    differences.exact("truncated_capture", found.truncated_capture, 0);
}

fn dns_lists(differences: &mut Differences, found: &api::Dns, summary: &Summary, lists: Lists) {
    let answer = &summary.dns;
    let names = found.cardinality.qname;
    let share = if answer.qname_cardinality < 896 { 0.0 } else { CARDINALITY_ERROR };
    differences.within("cardinality.qname", names, answer.qname_cardinality, share, 0);
    let (flags, truth) = (&found.flags, &answer.flags);
    exact_fields!(differences, flags, truth, aa ad tc);
    let (edns, truth) = (&found.edns, &answer.edns);
    exact_fields!(differences, edns, truth, queries replies dnssec_ok client_subnet empty_answers answer_records);
    for (field, list, truth) in [
        ("top_qname2", &found.top_qname2, &answer.top_qname2),
        ("top_qname3", &found.top_qname3, &answer.top_qname3),
        ("top_nxdomain", &found.top_nxdomain, &answer.top_nxdomain),
        ("top_refused", &found.top_refused, &answer.top_refused),
        ("top_srvfail", &found.top_srvfail, &answer.top_srvfail),
    ] {
        differences.list(field, list, truth, lists);
    }
    let codes = if lists == Lists::Archived { lists } else { Lists::Exact };
    for (field, list, truth) in [
        ("top_rcode", &found.top_rcode, &answer.top_rcode),
        ("top_qtype", &found.top_qtype, &answer.top_qtype),
        ("top_udp_ports", &found.top_udp_ports, &answer.top_udp_ports),
    ] {
        differences.list(field, list, truth, codes);
    }
}

fn transactions(differences: &mut Differences, found: &api::Transactions, summary: &Summary) {
    let answer = &summary.dns.xact;
    let (counts, truth) = (&found.counts, &answer.counts);
    exact_fields!(differences, counts, truth, total timed_out late duplicates orphans retransmitted);
    differences.exact("negative_times", counts.negative_times, 0);
    differences.exact("shed", counts.shed, 0);
    for (field, found, truth) in
        [("xact.in", &found.inbound, &answer.inbound), ("xact.out", &found.outbound, &answer.outbound)]
    {
        differences.exact(&format!("{field}.total"), found.total, truth.total);
        differences.quantiles(&format!("{field}.quantiles_us"), found.quantiles_us, truth.quantiles_us);
    }
}

/// The generator makes nothing that the agent would have to give up.
fn reassembly(differences: &mut Differences, found: &api::Reassembly) {
    let given_up = [
        found.unsynchronised,
        found.gaps,
        found.streams_evicted,
        found.datagrams_incomplete,
        found.datagrams_evicted,
        found.datagrams_unidentified,
        found.fragments_malformed,
    ];
    differences.exact("reassembly given up", given_up, [0; 7]);
}
