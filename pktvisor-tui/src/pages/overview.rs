//! Everything at a glance: the five numbers that decide, all counters, all lists.

use ratatui::{layout::Rect, style::Style};

use super::{charts, draw_lists, kpis, panels, split_left, split_top};
use crate::{
    app::App,
    format,
    model::{Agent, ListKind, Observation, Rcode},
    widgets::{Canvas, facts, kpi},
};

/// Columns from which on counters stand in panels.
const PANELS_WIDTH_MIN: u16 = 110;
/// Rows of the panels: title, heads, six lines, and a blank.
const PANELS_HEIGHT: u16 = 9;
/// Rows of the same in lines.
const LINES_HEIGHT: u16 = 8;

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
        let (counters, rest) = split_top(rest, LINES_HEIGHT);
        draw_lines(canvas, counters, agent, window);
        rest
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
    facts::draw_row(canvas, counters, &panels);
    charts::draw_rcodes(canvas, rcodes, agent, window);
    let deep = window.packets.deep_samples;
    let share = format::share(deep, window.packets.total);
    canvas.put(rcodes, 7, 1, "deep samples", theme.label);
    canvas.right(rcodes, 7, 19, &format::count(deep), theme.value);
    canvas.put(rcodes, 7, 20, &format::percent(share), theme.text);
}

/// Charts come last: only with rows that no list can use.
fn charts_height(agent: &Agent, area: Rect) -> u16 {
    match charts::height(agent, area, &ListKind::ALL, 0) {
        0..5 => 0,
        height => height,
    }
}

/// All counters on seven lines of 80 columns.
fn draw_lines(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let (packets, messages) = (&window.packets, &window.dns.wire_packets);
    let of_packets = |part| (format::percent(format::share(part, packets.total)), theme.text);
    let of_messages = |part| (format::percent(format::share(part, messages.total)), theme.text);
    let directed = packets.received.saturating_add(packets.sent);
    let of_directed = |part| (format::percent(format::share(part, directed)), theme.text);
    let number = |value| (format::count(value), theme.value);
    let line = |canvas: &mut Canvas<'_>, row, fields: Vec<(&str, (String, Style))>| {
        let fields: Vec<(&str, String, Style)> =
            fields.into_iter().map(|(label, (value, style))| (label, value, style)).collect();
        facts::line(
            canvas,
            Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area },
            row,
            &fields,
        );
    };
    line(
        canvas,
        0,
        vec![
            ("Packets", number(packets.total)),
            ("UDP", of_packets(packets.udp)),
            ("TCP", of_packets(packets.tcp)),
            ("other", of_packets(packets.other_l4)),
            ("IPv4", of_packets(packets.ipv4)),
            ("IPv6", of_packets(packets.ipv6)),
        ],
    );
    line(
        canvas,
        1,
        vec![
            ("in", of_directed(packets.received)),
            ("out", of_directed(packets.sent)),
            ("deep", of_packets(packets.deep_samples)),
            ("IPs in", number(packets.cardinality.src_ips_in)),
            ("out", number(packets.cardinality.dst_ips_out)),
            ("names", number(window.dns.cardinality.qname)),
        ],
    );
    draw_quantile_lines(
        canvas,
        Rect { y: area.y + 2, height: area.height.saturating_sub(2).min(3), ..area },
        agent,
        window,
    );
    line(
        canvas,
        5,
        vec![
            ("DNS    ", number(messages.total)),
            ("of packets", of_packets(messages.total)),
            ("UDP", of_messages(messages.udp)),
            ("TCP", of_messages(messages.tcp)),
            ("IPv4", of_messages(messages.ipv4)),
            ("IPv6", of_messages(messages.ipv6)),
        ],
    );
    let mut fields = vec![("replies", of_messages(messages.replies))];
    for rcode in [Rcode::Noerror, Rcode::Nxdomain, Rcode::Servfail, Rcode::Refused] {
        let style = charts::rcode_style(window, rcode, theme);
        fields.push((rcode.name(), (format::percent(window.share_of(rcode)), style)));
    }
    line(canvas, 6, fields);
}

/// Rates and transaction times beside each other, in and out below each other.
fn draw_quantile_lines(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let (received, sent) = agent.packets_per_second();
    let (rates, xact) = (&window.packets.rates, &window.dns.xact);
    let now = if agent.is_file() { "avg" } else { "now" };
    canvas.put(area, 0, 1, "pkts/s", theme.label);
    for (column, head) in (1u16..).zip([now, "p50", "p90", "p95", "p99"]) {
        canvas.right(area, 0, 7 + column * 6, head, theme.label);
    }
    canvas.put(area, 0, 39, "xacts", theme.label);
    for (column, head) in (1u16..).zip(["p50", "p90", "p95", "p99"]) {
        canvas.right(area, 0, 51 + column * 7, head, theme.label);
    }
    let rows = [("in", received, rates.pps_in, &xact.inbound), ("out", sent, rates.pps_out, &xact.outbound)];
    for (row, (label, rate, quantiles, transactions)) in (1u16..).zip(rows) {
        canvas.put(area, row, 1, label, theme.label);
        canvas.right(area, row, 13, &kpis::count_or_nothing(rate), theme.value);
        let cells = panels::quantile_cells(quantiles, format::count, theme);
        for (column, (text, style)) in (2u16..).zip(&cells) {
            canvas.right(area, row, 7 + column * 6, text, *style);
        }
        canvas.put(area, row, 39, label, theme.label);
        canvas.right(area, row, 49, &format::count(transactions.total), theme.value);
        let cells = panels::quantile_cells(transactions.quantiles_us, format::microseconds, theme);
        for (column, (text, style)) in (1u16..).zip(&cells) {
            canvas.right(area, row, 51 + column * 7, text, *style);
        }
    }
}
