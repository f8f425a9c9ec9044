//! Identities of every document and every ledger, for any packets.

use std::collections::BTreeSet;

use pktvisor_agent::pipeline::Intake;
use pktvisor_api::{Dns, Ledger, Packets, Period, PeriodDocument, Quantiles, TopEntry};
use pktvisor_metrics::Store;

use crate::setup::Setup;

/// The identities that do not hold.
macro_rules! holds {
    ($($what:expr),+ $(,)?) => {
        $({
            let it_holds: bool = $what;
            if !it_holds {
                return Err(format!("does not hold: {}", stringify!($what)));
            }
        })+
    };
}

/// Checks every document of the store after the packets of `intake`.
///
/// # Errors
///
/// An identity does not hold.
pub fn check(setup: &Setup, store: &Store, intake: &Intake) -> Result<(), String> {
    let ledger = store.ledger();
    check_ledger(setup, &ledger, intake)?;
    let document = store.document();
    let line = serde_json::to_string(&document).map_err(|error| error.to_string())?;
    let mut read: PeriodDocument = serde_json::from_str(&line).map_err(|error| error.to_string())?;
    for (read, written) in read.values_mut().zip(document.values()) {
        // serde_json reads fractions to within a unit in the last place.
        holds!((read.sampling.rate - written.sampling.rate).abs() < 1e-12);
        read.sampling.rate = written.sampling.rate;
    }
    holds!(!line.contains('\n'), read == document, document.len() == 1);
    let single = setup.summary || setup.periods == 1;
    let key = if single { "1m".to_owned() } else { format!("{}m", setup.periods) };
    let Some(period) = document.get(&key) else { return Err(format!("no key {key}")) };
    check_period(setup, period)?;
    let is_everything = setup.summary || store.rotations() < setup.periods as u64;
    let (packets, dns) = (&period.packets, &period.dns);
    if is_everything {
        holds!(
            packets.total == ledger.counted,
            packets.total - packets.deep_samples == ledger.not_chosen + ledger.lost,
            dns.wire_packets.total == ledger.messages,
        );
    }
    for n in 0..setup.periods {
        if let Ok(period) = store.bucket(n) {
            check_period(setup, &period).map_err(|error| format!("bucket {n}: {error}"))?;
        }
        if let Ok(period) = store.window(n) {
            check_period(setup, &period).map_err(|error| format!("window {n}: {error}"))?;
        }
    }
    Ok(())
}

fn check_ledger(setup: &Setup, ledger: &Ledger, intake: &Intake) -> Result<(), String> {
    holds!(
        ledger.counted == intake.packets - intake.filtered || setup.filter.is_some(),
        ledger.counted <= intake.packets - intake.filtered,
        ledger.dns_packets <= ledger.counted,
        ledger.dns_packets == ledger.not_chosen + ledger.delivered + ledger.lost,
        ledger.delivered == ledger.analysed + ledger.malformed + ledger.without_message,
    );
    match setup.sample_pct {
        100 => holds!(ledger.not_chosen == 0),
        0 => holds!(ledger.analysed == 0),
        _ => {}
    }
    Ok(())
}

fn check_period(setup: &Setup, period: &Period) -> Result<(), String> {
    let Period { period: span, packets, dns, sampling } = period;
    holds!(span.start_ts >= 0, span.length >= 0, span.length >= 1 || packets.total == 0);
    holds!((0.0..=1.0).contains(&sampling.rate), sampling.messages <= dns.wire_packets.total);
    holds!(setup.sample_pct < 100 || (sampling.rate == 1.0 && packets.deep_samples == packets.total));
    holds!(setup.has_host || (packets.received == 0 && packets.sent == 0));
    check_packets(packets)?;
    check_dns(dns)
}

fn check_packets(packets: &Packets) -> Result<(), String> {
    let ip = packets.ipv4 + packets.ipv6;
    holds!(
        packets.total == ip + packets.non_ip,
        packets.total == packets.received + packets.sent + packets.unknown,
        packets.total == packets.sizes.iter().sum::<u64>(),
        ip == packets.udp + packets.tcp + packets.other_l4,
        packets.bytes_in + packets.bytes_out <= packets.bytes_total,
        packets.deep_samples <= packets.total,
        packets.malformed <= packets.other_l4,
        packets.fragments <= ip,
        packets.tcp_syn + packets.tcp_syn_ack <= packets.tcp,
        packets.out_of_order <= packets.total,
    );
    check_quantiles(packets.rates.pps_in)?;
    check_quantiles(packets.rates.pps_out)?;
    let lists = [&packets.top_ipv4, &packets.top_ipv6, &packets.top_geo_loc, &packets.top_asn];
    lists.into_iter().try_for_each(|list| check_list(list))
}

fn check_dns(dns: &Dns) -> Result<(), String> {
    let messages = &dns.wire_packets;
    holds!(
        messages.total == messages.queries + messages.replies,
        messages.total == messages.udp + messages.tcp,
        messages.total == messages.ipv4 + messages.ipv6,
        messages.noerror + messages.nxdomain + messages.srvfail + messages.refused <= messages.replies,
        messages.malformed <= messages.total,
        messages.truncated_capture <= messages.total,
    );
    let xact = &dns.xact;
    holds!(
        xact.inbound.total + xact.outbound.total + xact.unknown.total <= xact.counts.total,
        xact.counts.negative_times <= xact.counts.total,
        xact.counts.total + xact.counts.late + xact.counts.duplicates + xact.counts.orphans
            <= messages.replies,
    );
    for quantiles in [xact.inbound.quantiles_us, xact.outbound.quantiles_us, dns.edns.udp_size_bytes] {
        check_quantiles(quantiles)?;
    }
    let lists = [
        &dns.top_qname2,
        &dns.top_qname3,
        &dns.top_nxdomain,
        &dns.top_refused,
        &dns.top_srvfail,
        &dns.top_rcode,
        &dns.top_qtype,
        &dns.top_udp_ports,
        &xact.inbound.top_slow,
        &xact.outbound.top_slow,
        &xact.unknown.top_slow,
    ];
    lists.into_iter().try_for_each(|list| check_list(list))
}

fn check_quantiles(quantiles: Option<Quantiles>) -> Result<(), String> {
    if let Some(Quantiles { p50, p90, p95, p99 }) = quantiles {
        holds!([p50, p90, p95, p99].is_sorted());
    }
    Ok(())
}

fn check_list(list: &[TopEntry]) -> Result<(), String> {
    let names: BTreeSet<_> = list.iter().map(|entry| &entry.name).collect();
    holds!(
        list.len() <= 10,
        names.len() == list.len(),
        list.is_sorted_by_key(|entry| (u64::MAX - entry.estimate, &entry.name)),
    );
    for entry in list {
        let (Some(lower), Some(upper)) = (entry.lower, entry.upper) else {
            return Err(format!("no bounds: {entry:?}"));
        };
        holds!(
            lower >= 1,
            (lower..=upper).contains(&entry.estimate),
            entry.scaled.is_none_or(|scaled| scaled >= entry.estimate),
        );
    }
    Ok(())
}
