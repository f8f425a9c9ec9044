//! Numbers that more than one page shows.

use pktvisor_common::api::Quantiles;

use crate::{
    format,
    model::{Agent, Health, ListKind, Observation, PeriodPoint, Rcode, Sample},
    theme::Theme,
    widgets::{
        Canvas, chart,
        facts::{Cell, Fact, Panel},
        kpi::Kpi,
    },
};
use ratatui::layout::Rect;

use super::split_top;

/// The seconds before, of one figure.
pub(super) fn past(agent: &Agent, figure: impl Fn(&Sample) -> Option<u64>) -> Vec<Option<u64>> {
    if agent.is_file() { Vec::new() } else { agent.history.seconds(figure).collect() }
}

/// What a rate is of: the last second, or the whole window where nothing moves any more.
pub(super) fn per_second_label(agent: &Agent, what: &str) -> String {
    if agent.is_file() { format!("{what}/s avg") } else { format!("{what}/s") }
}

/// A count that may be unknown.
pub(super) fn count_or_nothing(value: Option<u64>) -> String {
    value.map_or_else(|| format::NOTHING.to_owned(), format::count)
}

/// Queries a second.
pub(super) fn queries_kpi(agent: &Agent, theme: &Theme) -> Kpi {
    Kpi {
        label: per_second_label(agent, "DNS queries"),
        value: count_or_nothing(agent.queries_per_second()),
        style: theme.value,
        past: past(agent, |second| second.queries),
    }
}

/// The share of replies that failed.
pub(super) fn errors_kpi(agent: &Agent, window: &Observation, theme: &Theme) -> Kpi {
    let share = window.error_share();
    Kpi {
        label: "Failed replies".to_owned(),
        value: format::percent(share),
        style: theme.health(Health::of_errors(share)),
        past: past(agent, |second| second.errors_permille),
    }
}

/// The 95th percentile of the transaction times.
pub(super) fn latency_kpi(agent: &Agent, window: &Observation, theme: &Theme) -> Kpi {
    let waited = window.dns.xact.inbound.quantiles_us.is_none() && window.p95_us().is_some();
    Kpi {
        label: if waited { "p95 latency out" } else { "p95 latency in" }.to_owned(),
        value: window.p95_us().map_or_else(|| format::NOTHING.to_owned(), format::microseconds),
        style: theme.value,
        past: past(agent, |second| second.p95_us),
    }
}

/// Packets a second to and from HOST; without any direction, packets a second and in all.
pub(super) fn packet_kpis(agent: &Agent, window: &Observation, theme: &Theme) -> [Kpi; 2] {
    if window.has_no_direction() {
        let plain = |label: String, value: Option<u64>, past| Kpi {
            label,
            value: count_or_nothing(value),
            style: theme.value,
            past,
        };
        let total = window.packets.total;
        let now = agent.rates.filter(|_| !agent.is_file()).map(|rates| rates.unknown);
        return [
            plain(
                per_second_label(agent, "Packets"),
                now.or_else(|| window.per_second(total)),
                past(agent, |second| second.unknown),
            ),
            plain("Packets".to_owned(), Some(total), Vec::new()),
        ];
    }
    let (received, sent) = agent.packets_per_second();
    [
        Kpi {
            label: per_second_label(agent, "Packets in"),
            value: count_or_nothing(received),
            style: theme.value,
            past: past(agent, |second| second.received),
        },
        Kpi {
            label: per_second_label(agent, "Packets out"),
            value: count_or_nothing(sent),
            style: theme.value,
            past: past(agent, |second| second.sent),
        },
    ]
}

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
pub(super) fn rates_panel(agent: &Agent, window: &Observation, theme: &Theme) -> Panel {
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

/// The style of a response code's share.
pub(super) fn rcode_style(window: &Observation, rcode: Rcode, theme: &Theme) -> ratatui::style::Style {
    let share = window.share_of(rcode);
    theme.health(match rcode {
        Rcode::Noerror => Health::Good,
        Rcode::Nxdomain => Health::of_nxdomain(share),
        Rcode::Servfail | Rcode::Refused | Rcode::Other => Health::of_errors(share),
    })
}

/// Rows of [`draw_rcodes`].
pub(super) const RCODES_HEIGHT: u16 = 6;

/// Response codes: number, share, and replies a second in the periods kept, each code on its own scale, so that few
/// errors are as visible as many good replies.
pub(super) fn draw_rcodes(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let replies = window.dns.wire_packets.replies;
    canvas.title(area, "Response codes", &format!("{} replies", format::count(replies)), theme.text);
    let chart_column = 24;
    let room = area.width.saturating_sub(chart_column + 1);
    let kept = u16::try_from(agent.history.period_count()).unwrap_or(u16::MAX);
    // A period is as many columns wide as there is room for, up to three.
    let columns_each = room.checked_div(kept).unwrap_or(0).clamp(1, 3);
    for (row, (index, rcode)) in (1u16..).zip(Rcode::ALL.into_iter().enumerate()) {
        let style = rcode_style(window, rcode, theme);
        canvas.put(area, row, 1, rcode.name(), theme.label);
        canvas.right(area, row, 16, &format::count(window.replies_with(rcode)), style);
        canvas.right(area, row, 22, &format::percent(window.share_of(rcode)), style);
        if row >= area.height || room < 4 {
            continue;
        }
        let spark = Rect {
            x: area.x + chart_column,
            y: area.y + row,
            width: room.min(kept * columns_each),
            height: 1,
        };
        if kept < 2 {
            let bar = chart::bar(window.replies_with(rcode), replies, usize::from(room));
            canvas.put(area, row, chart_column, &bar, theme.bar);
            continue;
        }
        let replies_of =
            |point: &PeriodPoint| point.per_second_milli(point.rcodes.get(index).copied().unwrap_or(0));
        let values: Vec<Option<u64>> = agent
            .history
            .periods()
            .flat_map(|point| std::iter::repeat_n(replies_of(point), usize::from(columns_each)))
            .collect();
        chart::columns(canvas, spark, values.into_iter(), theme.bar);
    }
}

/// A chart with its title and scale, as high as its area.
pub(super) fn draw_chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    title: &str,
    newest_first: Vec<Option<u64>>,
    format: fn(u64) -> String,
) {
    if area.height < 3 {
        return;
    }
    let (_, body) = split_top(area, 1);
    let axis = if area.width >= 40 { 7 } else { 1 };
    let plot = Rect { x: area.x + axis, width: area.width.saturating_sub(axis + 1), ..body };
    let theme = canvas.theme;
    let seconds = newest_first.len().min(usize::from(plot.width));
    let peak = newest_first.iter().take(seconds).flatten().max().copied();
    let scale = chart::columns(canvas, plot, newest_first.into_iter(), theme.bar);
    if axis > 1 {
        canvas.right(body, 0, axis - 1, &format(scale), theme.label);
        canvas.right(body, body.height.saturating_sub(1), axis - 1, "0", theme.label);
    }
    let remark = match peak {
        Some(peak) => format!("last {seconds}s, peak {:>5}", format(peak)),
        None => "nothing yet".to_owned(),
    };
    canvas.title(area, title, &remark, theme.text);
}

/// Rows beyond which a chart tells nothing more.
const CHART_HEIGHT_MAX: u16 = 16;

/// What the rest of a page's height is best used for: the lists take what they can fill, charts the rest.
pub(super) fn spare_rows(height: u16, width: u16, lists: &[ListKind]) -> u16 {
    height
        .saturating_sub(crate::widgets::list_grid::height_max(width, height, lists.len()))
        .min(CHART_HEIGHT_MAX)
}
