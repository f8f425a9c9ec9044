//! The union of the agents' windows: what one agent would have reported of all their traffic.

use pktvisor_api::Quantiles;
use ratatui::layout::Rect;

use crate::{
    format,
    model::{FleetModel, ListKind, Observation, Row, UnionAgents, fit},
    widgets::{
        Canvas, facts,
        grid::{equal_columns, equal_columns_to_the_edge, split_top},
        heading::Heading,
        number_table::{Column, NumberTable, TableRow, cell},
    },
};

/// Title, distinct counts, and the times of both directions.
const HEIGHT: u16 = 4;

/// Title, heads and four names: fewer are not worth a title.
pub(super) const LISTS_HEIGHT_MIN: u16 = 6;

/// Narrower lists make names indistinguishable.
const LIST_WIDTH_MIN: u16 = 40;

/// Columns of the count and of its bounds, with the blank before them.
const NUMBERS: [(&str, u16); 3] = [("count", 7), ("at least", 9), ("at most", 8)];

/// The lists, the ones an operator looks at first in front.
const LISTS: [ListKind; 6] = [
    ListKind::Qname2,
    ListKind::Clients,
    ListKind::Nxdomain,
    ListKind::SlowIn,
    ListKind::Servers,
    ListKind::Servfail,
];

/// Draws the union, and returns the area below it.
pub(super) fn draw<'a>(canvas: &mut Canvas<'a>, area: Rect, fleet: &FleetModel, agents: usize) -> Rect {
    let Some(window) = &fleet.agent.window else { return area };
    let theme = canvas.theme;
    let (union, rest) = split_top(area, HEIGHT);
    let title = format!("Union of {} of {agents} agents", fleet.agents.whole);
    let absent = absent(fleet.agents);
    let remarks: Vec<&str> = absent.iter().map(String::as_str).collect();
    canvas.render(Heading { title: &title, remarks: &remarks, style: theme.text, theme }, union);
    let width = usize::from(area.width.saturating_sub(2));
    let dns = &window.dns;
    let count = |name: &str, count| format!("{name} {:>5}", format::count(count));
    let distinct = [
        count("clients", dns.inbound.clients),
        count("servers", dns.outbound.servers),
        count("names", dns.cardinality.qname),
        count("sources", window.packets.cardinality.src_ips_in),
        count("targets", window.packets.cardinality.dst_ips_out),
    ];
    canvas.put(union, 1, 1, &facts::join(&distinct, width), theme.value);
    let times = |name, quantiles| facts::join(&times(name, quantiles, fleet.quantile_error), width);
    canvas.put(union, 2, 1, &times("in ", dns.xact.inbound.quantiles_us), theme.value);
    canvas.put(union, 3, 1, &times("out", dns.xact.outbound.quantiles_us), theme.value);
    rest
}

/// The agents that are not in all numbers, in words, the longest text first.
fn absent(agents: UnionAgents) -> Vec<String> {
    let UnionAgents { whole: _, counters_only, invalid, missing } = agents;
    let kinds = [
        (counters_only, "counters alone of", "counters"),
        (invalid, "no valid sketches of", "invalid"),
        (missing, "no answer of", "absent"),
    ];
    let present = kinds.iter().filter(|(count, ..)| *count > 0);
    let long: Vec<String> = present.clone().map(|(count, words, _)| format!("{words} {count}")).collect();
    let short: Vec<String> = present.map(|(count, _, word)| format!("{word} {count}")).collect();
    [long.join(", "), short.join(", ")].into_iter().filter(|text| !text.is_empty()).collect()
}

fn times(name: &str, quantiles: Option<Quantiles>, error: f64) -> Vec<String> {
    let values = quantiles.map(|q| [q.p50, q.p90, q.p95, q.p99]);
    let text = |index: usize| {
        let value = values.and_then(|values| values.get(index).copied());
        value.map_or_else(|| format::NOTHING.to_owned(), format::microseconds)
    };
    let named = |(index, label): (usize, &str)| format!("{label} {:>6}", text(index));
    let mut parts: Vec<String> = ["p50", "p90", "p95", "p99"].into_iter().enumerate().map(named).collect();
    if let Some(first) = parts.first_mut() {
        *first = format!("{name} {first}");
    }
    if quantiles.is_some() {
        parts.push(format!("±{:.1}%", error * 100.0));
    }
    parts
}

/// Draws top lists with the bounds of each count, as many as fit beside each other.
pub(super) fn draw_lists(canvas: &mut Canvas<'_>, area: Rect, window: &Observation) {
    if area.height < LISTS_HEIGHT_MIN {
        return;
    }
    let count = usize::from(area.width / LIST_WIDTH_MIN).clamp(1, LISTS.len());
    let columns = if count > 1 { equal_columns(area, count) } else { equal_columns_to_the_edge(area, 1) };
    let with_rows = LISTS.into_iter().filter(|kind| !window.list(*kind).is_empty());
    let without = LISTS.into_iter().filter(|kind| window.list(*kind).is_empty());
    for (area, kind) in columns.into_iter().zip(with_rows.chain(without)) {
        draw_list(canvas, area, kind, window);
    }
}

fn draw_list(canvas: &mut Canvas<'_>, area: Rect, kind: ListKind, window: &Observation) {
    let theme = canvas.theme;
    let (heading, body) = split_top(area, 1);
    let rows = window.list(kind);
    let remark = format!("of {}", format::count(kind.whole(window)));
    let remarks = [remark.as_str()];
    let remarks = if rows.is_empty() { &[][..] } else { &remarks };
    canvas.render(Heading { title: kind.title(), remarks, style: theme.text, theme }, heading);
    if rows.is_empty() {
        return canvas.put(body, 0, 1, kind.why_empty(window), theme.label);
    }
    let numbers_width: u16 = NUMBERS.iter().map(|(_, width)| width).sum();
    let name_width = body.width.saturating_sub(numbers_width + 1);
    let mut columns = vec![Column::Blank(1), Column::Text(name_width)];
    columns.extend(NUMBERS.iter().map(|(_, width)| Column::Number(*width)));
    let row = |row: &Row| -> TableRow<'static> {
        let (lower, upper) = row.bounds.unwrap_or((row.estimate, row.estimate));
        let name = fit(row.name.as_str(), usize::from(name_width.saturating_sub(1)), kind.keep());
        let cells = [
            cell(name, theme.text),
            cell(format::count(row.estimate), theme.value),
            cell(format::count(lower), theme.text),
            cell(format::count(upper), theme.text),
        ];
        cells.into_iter().collect()
    };
    let heads = std::iter::once("").chain(NUMBERS.iter().map(|(head, _)| *head));
    let shown = usize::from(body.height.saturating_sub(1));
    let table = NumberTable {
        heads: Some(heads.map(|head| cell(head, theme.label)).collect()),
        ..NumberTable::new(&columns, rows.iter().take(shown).map(row).collect(), theme)
    };
    canvas.render(table, body);
}
