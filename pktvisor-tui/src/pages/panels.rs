//! Panels of counters that more than one page shows.

use pktvisor_api::Quantiles;

use super::tiles::count_or_nothing;
use crate::{
    format,
    model::{AgentModel, Observation},
    theme::Theme,
    widgets::facts::{Cell, Fact, Panel},
};

/// Four quantiles as cells.
pub(super) fn quantile_cells(
    quantiles: Option<Quantiles>,
    format: fn(u64) -> String,
    theme: &Theme,
) -> [Cell; 4] {
    match quantiles {
        Some(q) => [q.p50, q.p90, q.p95, q.p99].map(|value| (format(value), theme.text)),
        None => [0; 4].map(|_| (format::NOTHING.to_owned(), theme.label)),
    }
}

/// Packets by kind.
pub(super) fn packets_panel(window: &Observation, theme: &Theme) -> Panel {
    let packets = &window.packets;
    let part = |label, part| Fact::part(label, part, packets.total, theme.value, theme.text);
    let directed = packets.received.saturating_add(packets.sent);
    Panel {
        title: "Packets".to_owned(),
        remark: format::count(packets.total),
        cell_width: 6,
        heads: vec![],
        facts: vec![
            part("UDP", packets.udp),
            part("TCP", packets.tcp),
            part("other", packets.other_l4),
            part("IPv4", packets.ipv4),
            part("IPv6", packets.ipv6),
            Fact::part("in", packets.received, directed, theme.value, theme.text),
            Fact::part("out", packets.sent, directed, theme.value, theme.text),
        ],
    }
}

/// Rates in and out, now and by quantiles over the window; addresses below.
pub(super) fn rates_panel(agent: &AgentModel, window: &Observation, theme: &Theme) -> Panel {
    let (received, sent) = agent.packets_per_second();
    let rates = &window.packets.rates;
    let now = |value| (count_or_nothing(value), theme.value);
    let inbound = quantile_cells(rates.pps_in, format::count, theme);
    let outbound = quantile_cells(rates.pps_out, format::count, theme);
    let mut facts =
        vec![Fact::numbers(if agent.is_file() { "avg" } else { "now" }, vec![now(received), now(sent)])];
    for ((label, received), sent) in ["p50", "p90", "p95", "p99"].into_iter().zip(inbound).zip(outbound) {
        facts.push(Fact::numbers(label, vec![received, sent]));
    }
    let addresses = &window.packets.cardinality;
    facts.push(Fact::numbers(
        "IPs",
        vec![
            (format::count(addresses.src_ips_in), theme.value),
            (format::count(addresses.dst_ips_out), theme.value),
        ],
    ));
    Panel {
        title: "Packets/s".to_owned(),
        remark: String::new(),
        cell_width: 6,
        heads: vec!["in", "out"],
        facts,
    }
}

/// DNS messages by kind.
pub(super) fn messages_panel(window: &Observation, theme: &Theme) -> Panel {
    let messages = &window.dns.wire_packets;
    let part = |label, part| Fact::part(label, part, messages.total, theme.value, theme.text);
    Panel {
        title: "DNS messages".to_owned(),
        remark: format!(
            "{} · {} of packets",
            format::count(messages.total),
            format::percent(format::share(messages.total, window.packets.total))
        ),
        cell_width: 6,
        heads: vec![],
        facts: vec![
            part("queries", messages.queries),
            part("replies", messages.replies),
            part("UDP", messages.udp),
            part("TCP", messages.tcp),
            part("IPv4", messages.ipv4),
            part("IPv6", messages.ipv6),
            Fact::numbers("names", vec![(format::count(window.dns.cardinality.qname), theme.value)]),
        ],
    }
}

/// Transactions with their times, in and out.
pub(super) fn transactions_panel(window: &Observation, theme: &Theme) -> Panel {
    let xact = &window.dns.xact;
    let (inbound, outbound) = (&xact.inbound, &xact.outbound);
    let times_in = quantile_cells(inbound.quantiles_us, format::microseconds, theme);
    let times_out = quantile_cells(outbound.quantiles_us, format::microseconds, theme);
    let mut facts = vec![
        Fact::numbers(
            "total",
            vec![(format::count(inbound.total), theme.value), (format::count(outbound.total), theme.value)],
        ),
        Fact::numbers(
            "share",
            [inbound.total, outbound.total]
                .map(|part| (format::percent(format::share(part, xact.counts.total)), theme.text))
                .to_vec(),
        ),
    ];
    for ((label, time_in), time_out) in ["p50", "p90", "p95", "p99"].into_iter().zip(times_in).zip(times_out)
    {
        facts.push(Fact::numbers(label, vec![time_in, time_out]));
    }
    Panel {
        title: "Transactions".to_owned(),
        remark: format::count(xact.counts.total),
        cell_width: 7,
        heads: vec!["in", "out"],
        facts,
    }
}
