//! DNS in depth: queries and failures over time, response codes, times, what did not become a transaction, and lists.

use ratatui::layout::Rect;

use super::{charts, draw_lists, kpis, panels, split_left, split_top};
use crate::{
    app::App,
    format,
    model::{Agent, Health, ListKind, Observation},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{self, Fact, Panel},
        kpi::{self, Kpi},
    },
};

/// Rows of the panels: title, heads, six lines, and a blank.
const PANELS_HEIGHT: u16 = 9;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let roomy = area.width >= 110 && area.height >= 34;
    let (kpis, rest) = split_top(area, if roomy { kpi::BIG } else { kpi::SMALL });
    draw_kpis(canvas, kpis, agent, window);
    let below = Rect { height: rest.height.saturating_sub(PANELS_HEIGHT), ..rest };
    let charts_height = if roomy { charts::height(agent, below, &ListKind::DNS, 5) } else { 0 };
    let (charts, rest) = split_top(rest, charts_height);
    charts::draw_row(canvas, charts, agent, [&charts::QUERIES, &charts::FAILED].into_iter());
    let rest = if roomy {
        let (panels, rest) = split_top(rest, PANELS_HEIGHT);
        draw_wide(canvas, panels, agent, window);
        rest
    } else {
        let (panels, rest) = split_top(rest, if rest.height > 14 { 8 } else { charts::RCODES_HEIGHT });
        draw_narrow(canvas, panels, agent, window);
        rest
    };
    draw_lists(canvas, rest, app, window);
}

fn draw_kpis(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let timeouts = window.timeout_share();
    let kpis = [
        kpis::queries_kpi(agent, theme),
        kpis::errors_kpi(agent, window, theme),
        kpis::latency_kpi(agent, window, theme),
        Kpi {
            label: "Timed out".to_owned(),
            value: if window.ours { format::percent(timeouts) } else { format::NOTHING.to_owned() },
            style: theme.health(Health::of_timeouts(timeouts)),
            past: Vec::new(),
        },
        Kpi {
            label: "Names".to_owned(),
            value: format::count(window.dns.cardinality.qname),
            style: theme.value,
            past: Vec::new(),
        },
    ];
    kpi::draw(canvas, area, &kpis);
}

fn draw_wide(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    let theme = canvas.theme;
    let width = area.width / 5;
    let (rcodes, rest) = split_left(area, width * 2);
    let rcodes = Rect { width: rcodes.width.saturating_sub(1), ..rcodes };
    charts::draw_rcodes(canvas, rcodes, agent, window);
    let panels = [
        panels::messages_panel(window, theme),
        panels::transactions_panel(window, theme),
        unanswered_panel(window, theme),
    ];
    facts::draw_row(canvas, rest, &panels);
    let edns = &window.dns.edns;
    if window.ours {
        let text = format!(
            "EDNS {} · DO {} · ECS {} · no answer {}",
            format::percent(format::share(edns.queries, window.dns.wire_packets.queries)),
            format::count(edns.dnssec_ok),
            format::count(edns.client_subnet),
            format::count(edns.empty_answers),
        );
        canvas.put(rcodes, 7, 1, &text, theme.label);
    }
}

fn draw_narrow(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, window: &Observation) {
    // What the numbers of each need at least; codes over time take the rest.
    let (transactions, unmatched) = (24, 19);
    let rcodes = area.width.saturating_sub(transactions + unmatched);
    charts::draw_rcodes(canvas, Rect { width: rcodes.saturating_sub(1), ..area }, agent, window);
    let cell = |x: u16, width: u16| {
        let (_, rest) = split_left(area, x);
        split_left(rest, width).0
    };
    facts::draw(canvas, cell(rcodes, transactions - 1), &panels::transactions_panel(window, canvas.theme));
    facts::draw(canvas, cell(rcodes + transactions, unmatched), &unanswered_panel(window, canvas.theme));
}

/// Queries and responses that found no partner. Older agents do not count them.
fn unanswered_panel(window: &Observation, theme: &Theme) -> Panel {
    let counts = &window.dns.xact.counts;
    let number = |label, value| {
        let cell = if window.ours {
            (format::count(value), theme.value)
        } else {
            (format::NOTHING.to_owned(), theme.label)
        };
        Fact::numbers(label, vec![cell])
    };
    Panel {
        title: "Unmatched".to_owned(),
        remark: String::new(),
        cell_width: 6,
        heads: vec![],
        facts: vec![
            number("timed out", counts.timed_out),
            number("late", counts.late),
            number("orphans", counts.orphans),
            number("duplicates", counts.duplicates),
            number("retransmit", counts.retransmitted),
            number("malformed", window.dns.wire_packets.malformed),
            number("cut", window.dns.wire_packets.truncated_capture),
        ],
    }
}
