//! Everything at a glance: the five tiles, then all counters and all lists; if something is wrong,
//! what is known about it, and the lists that say more.

use ratatui::layout::Rect;

use super::{
    charts, draw_lists, findings, panels,
    tiles::{self, Tiles, count_or_nothing},
};
use crate::{
    app::UiState,
    format,
    model::{AgentModel, ListKind, Observation, Rcode},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{Cell, FieldLines, PanelGrid},
        grid::{split_left, split_top},
        number_table::{Column, NumberTable, TableRow, cell},
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

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let panels = area.width >= PANELS_WIDTH_MIN && area.height >= 34;
    let (strip, rest) = split_top(area, tiles::height(app, area));
    let tiles = Tiles::new(agent, window, &app.theme);
    let five = [tiles.queries(), tiles.failed(), tiles.unanswered(), tiles.latency(), tiles.packets()];
    tiles.draw(canvas, strip, &five);
    // A finding is what the page is about: it takes the place of the counters.
    let finding = app.findings().first().filter(|finding| !finding.lists().is_empty());
    let rest = if let Some(finding) = finding.filter(|_| !panels) {
        findings::draw_summary(canvas, rest, finding)
    } else if panels {
        let (counters, rest) = split_top(rest, PANELS_HEIGHT);
        draw_panels(canvas, counters, agent, window);
        finding.map_or(rest, |finding| findings::draw_summary(canvas, rest, finding))
    } else {
        draw_lines(canvas, rest, agent, window)
    };
    let (charts_area, lists) = split_top(rest, charts_height(agent, rest));
    let mut series = vec![&charts::QUERIES];
    series.extend(charts::packets(window));
    charts::draw_row(canvas, charts_area, agent, series.into_iter());
    draw_lists(canvas, lists, app, window);
}

fn draw_panels(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) {
    let theme = canvas.theme;
    let panels = [
        panels::packets_panel(window, theme),
        panels::rates_panel(agent, window, theme),
        panels::messages_panel(window, theme),
        panels::transactions_panel(window, theme),
    ];
    let width = area.width / 5;
    let (counters, rcodes) = split_left(area, width * 4);
    canvas.render(PanelGrid { panels: &panels, panel_height: PANELS_HEIGHT, theme }, counters);
    charts::draw_rcodes(canvas, rcodes, agent, window);
    let deep = window.packets.deep_samples;
    let share = format::share(deep, window.packets.total);
    let count = cell(format::count(deep), theme.value);
    let row: TableRow<'_> =
        [cell("deep", theme.label), count, cell(format::percent(share), theme.text)].into_iter().collect();
    let (_, below) = split_top(rcodes, charts::RCODES_HEIGHT + 1);
    canvas.render(NumberTable::new(&charts::RCODE_COLUMNS, vec![row], theme), below);
}

/// Charts come last: only with rows that no list can use.
fn charts_height(agent: &AgentModel, area: Rect) -> u16 {
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

/// All counters on seven lines of 80 columns, on more lines of a narrower screen. Returns the area
/// below.
fn draw_lines(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) -> Rect {
    let theme = canvas.theme;
    let (packets, dns) = (packet_fields(window, theme), dns_fields(window, theme));
    let (packets, dns) = (FieldLines { fields: &packets, theme }, FieldLines { fields: &dns, theme });
    let width = area.width.saturating_sub(1);
    let (packets_height, dns_height) = (packets.height(width), dns.height(width));
    let beside = area.width >= QUANTILES_WIDTH;
    // On a narrow screen: transactions before rates, whose newest values are above.
    let (rates_height, transactions_height) = if beside {
        (QUANTILES_HEIGHT, 0)
    } else {
        let spare = area.height.saturating_sub(packets_height + dns_height + 1 + LISTS_HEIGHT_MIN);
        let height_if = |fits| if fits { QUANTILES_HEIGHT } else { 0 };
        (height_if(spare >= 2 * QUANTILES_HEIGHT), height_if(spare >= QUANTILES_HEIGHT))
    };
    let (top, rest) = split_top(area, packets_height);
    canvas.render(packets, split_left(top, 1).1);
    let (rates, rest) = split_top(rest, rates_height);
    draw_rates(canvas, rates, agent, window);
    let (below, rest) = split_top(rest, transactions_height);
    let transactions = if beside { split_left(rates, TRANSACTIONS_COLUMN).1 } else { below };
    draw_transactions(canvas, transactions, window);
    let (bottom, rest) = split_top(rest, dns_height);
    canvas.render(dns, split_left(bottom, 1).1);
    split_top(rest, 1).1
}

/// Where transactions begin beside rates.
const TRANSACTIONS_COLUMN: u16 = 38;

/// A row of labels: heads of columns.
fn labels<const N: usize>(labels: [&'static str; N], theme: &Theme) -> TableRow<'static> {
    labels.into_iter().map(|label| cell(label, theme.label)).collect()
}

/// A label, a number, and quantiles.
fn quantiles_row(label: &'static str, number: String, cells: [Cell; 4], theme: &Theme) -> TableRow<'static> {
    let quantiles = cells.into_iter().map(|(text, style)| cell(text, style));
    [cell(label, theme.label), cell(number, theme.value)].into_iter().chain(quantiles).collect()
}

/// Packet rates, in and out below each other.
fn draw_rates(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) {
    let theme = canvas.theme;
    let (received, sent) = agent.packets_per_second();
    let rates = &window.packets.rates;
    let now = if agent.is_file() { "avg" } else { "now" };
    let row = |label, rate, quantiles| {
        let cells = panels::quantile_cells(quantiles, format::count, theme);
        quantiles_row(label, count_or_nothing(rate), cells, theme)
    };
    let number = Column::Number(6);
    let columns = [Column::Blank(1), Column::Text(6), number, number, number, number, number];
    let rows = vec![row("in", received, rates.pps_in), row("out", sent, rates.pps_out)];
    let mut table = NumberTable::new(&columns, rows, theme);
    table.heads = Some(labels(["pkts/s", now, "p50", "p90", "p95", "p99"], theme));
    canvas.render(table, area);
}

/// Transactions and their times, in and out below each other; 41 columns, or 40 where there are no
/// more.
fn draw_transactions(canvas: &mut Canvas<'_>, area: Rect, window: &Observation) {
    let theme = canvas.theme;
    let xact = &window.dns.xact;
    let row = |label, total, quantiles_us| {
        let cells = panels::quantile_cells(quantiles_us, format::microseconds, theme);
        quantiles_row(label, format::count(total), cells, theme)
    };
    let total_width = if area.width > 40 { 6 } else { 5 };
    let time = Column::Number(7);
    let times = [Column::Blank(2), time, time, time, time];
    let (heads_area, body) = split_top(area, 1);
    // The first head is wider than the labels below it, whose totals need the room.
    let columns = [&[Column::Blank(1), Column::Text(4 + total_width)], &times[..]].concat();
    let heads = labels(["xacts", "p50", "p90", "p95", "p99"], theme);
    canvas.render(NumberTable::new(&columns, vec![heads], theme), heads_area);
    let columns = [&[Column::Blank(1), Column::Text(4), Column::Number(total_width)], &times[..]].concat();
    let rows = vec![
        row("in", xact.inbound.total, xact.inbound.quantiles_us),
        row("out", xact.outbound.total, xact.outbound.quantiles_us),
    ];
    canvas.render(NumberTable::new(&columns, rows, theme), body);
}
