//! Everything at a glance: the five numbers that decide, all counters, all lists.

use ratatui::layout::Rect;

use super::{charts, draw_lists, kpis, panels, split_left, split_top};
use crate::{
    app::App,
    format,
    model::{Agent, ListKind, Observation, Rcode},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{self, Cell},
        kpi,
    },
};

/// Columns from which on counters stand in panels.
const PANELS_WIDTH_MIN: u16 = 110;
/// Rows of the panels: title, heads, six lines, and a blank.
const PANELS_HEIGHT: u16 = 9;
/// Columns from which on rates and transactions stand beside each other.
const QUANTILES_WIDTH: u16 = 79;
/// Rows of rates, or of transactions: heads, in, out.
const QUANTILES_HEIGHT: u16 = 3;
/// Rows that are left to the lists, if they can be spared.
const LISTS_HEIGHT_MIN: u16 = 5;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let panels = area.width >= PANELS_WIDTH_MIN && area.height >= 34;
    let (kpis, rest) = split_top(area, if panels { kpi::BIG } else { kpi::SMALL });
    draw_kpis(canvas, kpis, agent, window);
    let rest = if panels {
        let (counters, rest) = split_top(rest, PANELS_HEIGHT);
        draw_panels(canvas, counters, agent, window);
        rest
    } else {
        draw_lines(canvas, rest, agent, window)
    };
    let (charts_area, lists) = split_top(rest, charts_height(agent, rest));
    let mut series = vec![&charts::QUERIES];
    series.extend(charts::packets(window));
    charts::draw_row(canvas, charts_area, agent, series.into_iter());
    draw_lists(canvas, lists, app, window);
}

fn draw_kpis(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let [received, sent] = kpis::packet_kpis(agent, window, theme);
    let kpis = [
        kpis::queries_kpi(agent, theme),
        kpis::errors_kpi(agent, window, theme),
        kpis::latency_kpi(agent, window, theme),
        received,
        sent,
    ];
    kpi::draw(canvas, area, &kpis);
}

fn draw_panels(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let panels = [
        panels::packets_panel(window, theme),
        panels::rates_panel(agent, window, theme),
        panels::messages_panel(window, theme),
        panels::transactions_panel(window, theme),
    ];
    let width = area.width / 5;
    let (counters, rcodes) = split_left(area, width * 4);
    facts::draw_grid(canvas, counters, PANELS_HEIGHT, &panels);
    charts::draw_rcodes(canvas, rcodes, agent, window);
    let deep = window.packets.deep_samples;
    let share = format::share(deep, window.packets.total);
    canvas.put(rcodes, 7, 1, "deep", theme.label);
    canvas.right(rcodes, 7, 16, &format::count(deep), theme.value);
    canvas.right(rcodes, 7, 22, &format::percent(share), theme.text);
}

/// Charts come last: only with rows that no list can use.
fn charts_height(agent: &Agent, area: Rect) -> u16 {
    match charts::height(agent, area, &ListKind::ALL, 0) {
        0..5 => 0,
        height => height,
    }
}

/// Counters of packets, each with its share.
fn packet_fields<'a>(window: &Observation, theme: &Theme) -> Vec<(&'a str, Cell)> {
    let packets = &window.packets;
    let of_packets = |part| (format::percent(format::share(part, packets.total)), theme.text);
    let directed = packets.received.saturating_add(packets.sent);
    let of_directed = |part| (format::percent(format::share(part, directed)), theme.text);
    let number = |value| (format::count(value), theme.value);
    vec![
        ("Packets", number(packets.total)),
        ("UDP", of_packets(packets.udp)),
        ("TCP", of_packets(packets.tcp)),
        ("other", of_packets(packets.other_l4)),
        ("IPv4", of_packets(packets.ipv4)),
        ("IPv6", of_packets(packets.ipv6)),
        ("in", of_directed(packets.received)),
        ("out", of_directed(packets.sent)),
        ("deep", of_packets(packets.deep_samples)),
        ("IPs in", number(packets.cardinality.src_ips_in)),
        ("out", number(packets.cardinality.dst_ips_out)),
        ("names", number(window.dns.cardinality.qname)),
    ]
}

/// Counters of DNS messages, each with its share.
fn dns_fields<'a>(window: &Observation, theme: &Theme) -> Vec<(&'a str, Cell)> {
    let (packets, messages) = (&window.packets, &window.dns.wire_packets);
    let of_messages = |part| (format::percent(format::share(part, messages.total)), theme.text);
    let mut fields = vec![
        ("DNS    ", (format::count(messages.total), theme.value)),
        ("of packets", (format::percent(format::share(messages.total, packets.total)), theme.text)),
        ("UDP", of_messages(messages.udp)),
        ("TCP", of_messages(messages.tcp)),
        ("IPv4", of_messages(messages.ipv4)),
        ("IPv6", of_messages(messages.ipv6)),
        ("replies", of_messages(messages.replies)),
    ];
    for rcode in [Rcode::Noerror, Rcode::Nxdomain, Rcode::Servfail, Rcode::Refused] {
        let style = charts::rcode_style(window, rcode, theme);
        fields.push((rcode.name(), (format::percent(window.share_of(rcode)), style)));
    }
    fields
}

/// All counters on seven lines of 80 columns, on more lines of a narrower screen. Returns what is left below.
fn draw_lines(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) -> Rect {
    let (packets, dns) = (packet_fields(window, canvas.theme), dns_fields(window, canvas.theme));
    let inner = |area: Rect| Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    let width = inner(area).width;
    let fields_height = facts::lines_needed(width, &packets) + facts::lines_needed(width, &dns);
    let beside = area.width >= QUANTILES_WIDTH;
    // On a narrow screen: transactions before rates, whose newest values are above.
    let (rates_height, transactions_height) = if beside {
        (QUANTILES_HEIGHT, 0)
    } else {
        let spare = area.height.saturating_sub(fields_height + 1 + LISTS_HEIGHT_MIN);
        let height_if = |fits| if fits { QUANTILES_HEIGHT } else { 0 };
        (height_if(spare >= 2 * QUANTILES_HEIGHT), height_if(spare >= QUANTILES_HEIGHT))
    };
    let (top, rest) = split_top(area, facts::lines_needed(width, &packets));
    facts::lines(canvas, inner(top), &packets);
    let (rates, rest) = split_top(rest, rates_height);
    draw_rates(canvas, rates, agent, window);
    let (below, rest) = split_top(rest, transactions_height);
    let transactions = if beside { split_left(rates, TRANSACTIONS_COLUMN).1 } else { below };
    draw_transactions(canvas, transactions, window);
    let (bottom, rest) = split_top(rest, facts::lines_needed(width, &dns));
    facts::lines(canvas, inner(bottom), &dns);
    split_top(rest, 1).1
}

/// Where transactions begin beside rates.
const TRANSACTIONS_COLUMN: u16 = 38;

/// Packet rates, in and out below each other.
fn draw_rates(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let (received, sent) = agent.packets_per_second();
    let rates = &window.packets.rates;
    let now = if agent.is_file() { "avg" } else { "now" };
    canvas.put(area, 0, 1, "pkts/s", theme.label);
    for (column, head) in (1u16..).zip([now, "p50", "p90", "p95", "p99"]) {
        canvas.right(area, 0, 7 + column * 6, head, theme.label);
    }
    let rows = [("in", received, rates.pps_in), ("out", sent, rates.pps_out)];
    for (row, (label, rate, quantiles)) in (1u16..).zip(rows) {
        canvas.put(area, row, 1, label, theme.label);
        canvas.right(area, row, 13, &kpis::count_or_nothing(rate), theme.value);
        let cells = panels::quantile_cells(quantiles, format::count, theme);
        for (column, (text, style)) in (2u16..).zip(&cells) {
            canvas.right(area, row, 7 + column * 6, text, *style);
        }
    }
}

/// Transactions and their times, in and out below each other; 41 columns, or 40 where there are no more.
fn draw_transactions(canvas: &mut Canvas<'_>, area: Rect, window: &Observation) {
    let theme = canvas.theme;
    let xact = &window.dns.xact;
    let total_end = if area.width > 40 { 11 } else { 10 };
    canvas.put(area, 0, 1, "xacts", theme.label);
    for (column, head) in (1u16..).zip(["p50", "p90", "p95", "p99"]) {
        canvas.right(area, 0, total_end + 2 + column * 7, head, theme.label);
    }
    for (row, (label, transactions)) in (1u16..).zip([("in", &xact.inbound), ("out", &xact.outbound)]) {
        canvas.put(area, row, 1, label, theme.label);
        canvas.right(area, row, total_end, &format::count(transactions.total), theme.value);
        let cells = panels::quantile_cells(transactions.quantiles_us, format::microseconds, theme);
        for (column, (text, style)) in (1u16..).zip(&cells) {
            canvas.right(area, row, total_end + 2 + column * 7, text, *style);
        }
    }
}
