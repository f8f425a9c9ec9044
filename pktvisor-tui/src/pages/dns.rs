//! DNS in depth: queries and failures over time, response codes, times, unmatched messages, and
//! lists.

use ratatui::layout::{Constraint, Layout, Rect};

use super::{
    charts, draw_lists, panels,
    tiles::{self, Tiles},
};
use crate::{
    app::UiState,
    format,
    model::{AgentModel, ListKind, Observation},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{self, Fact, Panel, PanelGrid},
        grid::split_top,
    },
};

/// Rows of the panels: title, heads, six lines, and a blank.
const PANELS_HEIGHT: u16 = 9;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let roomy = area.width >= 110 && area.height >= 34;
    let (strip, rest) = split_top(area, tiles::height(app, area));
    let tiles = Tiles::new(agent, window, &app.theme);
    let names = tiles.count_of_window("Names", window.dns.cardinality.qname);
    let five = [tiles.queries(), tiles.failed(), tiles.unanswered(), tiles.latency(), names];
    tiles.draw(canvas, strip, &five);
    let (_, below) = split_top(rest, PANELS_HEIGHT);
    let charts_height = if roomy { charts::height(agent, below, &ListKind::DNS, 5) } else { 0 };
    let (charts, rest) = split_top(rest, charts_height);
    charts::draw_row(canvas, charts, agent, [&charts::QUERIES, &charts::FAILED].into_iter());
    let rest = if roomy {
        let (panels, rest) = split_top(rest, PANELS_HEIGHT);
        draw_wide(canvas, panels, agent, window);
        rest
    } else {
        draw_narrow(canvas, rest, agent, window)
    };
    draw_lists(canvas, rest, app, window);
}

fn draw_wide(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) {
    let theme = canvas.theme;
    let width = area.width / 5;
    let [rcodes, rest] = beside(area, width * 2);
    charts::draw_rcodes(canvas, rcodes, agent, window);
    let panels = [
        panels::messages_panel(window, theme),
        panels::transactions_panel(window, theme),
        unanswered_panel(window, theme),
    ];
    canvas.render(PanelGrid { panels: &panels, panel_height: PANELS_HEIGHT, theme }, rest);
    let edns = &window.dns.edns;
    if window.ours {
        let share = format::share(edns.queries, window.dns.wire_packets.queries);
        let parts = [
            format!("EDNS {}", format::percent(share)),
            format!("DO {}", format::count(edns.dnssec_ok)),
            format!("ECS {}", format::count(edns.client_subnet)),
            format!("no answer {}", format::count(edns.empty_answers)),
        ];
        let text = facts::join(&parts, usize::from(rcodes.width.saturating_sub(1)));
        canvas.put(rcodes, 7, 1, &text, theme.label);
    }
}

/// Rows of transactions and of unmatched messages: title, heads, six lines; title, seven lines.
const NARROW_HEIGHT: u16 = 8;
/// Rows left to the lists, if they can be spared.
const LISTS_HEIGHT_MIN: u16 = 4;

/// Response codes, transactions and unmatched messages beside each other. If they do not fit, codes
/// are above the other two; if the screen is low as well, codes are alone. Returns the area below.
fn draw_narrow(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) -> Rect {
    let theme = canvas.theme;
    let transactions = panels::transactions_panel(window, theme);
    let unmatched = unanswered_panel(window, theme);
    // What the numbers of each need, and a few blanks; codes over time take the rest.
    let (transactions_width, unmatched_width) = (transactions.width() + 4, unmatched.width() + 2);
    let rcodes_width = area.width.saturating_sub(transactions_width + unmatched_width);
    if rcodes_width > charts::RCODES_WIDTH {
        let height = if area.height > 14 { NARROW_HEIGHT } else { charts::RCODES_HEIGHT };
        let (panels, rest) = split_top(area, height);
        let [rcodes, others] = beside(panels, rcodes_width);
        charts::draw_rcodes(canvas, rcodes, agent, window);
        let [left, right] = beside(others, transactions_width);
        canvas.render(PanelGrid::of_one(&transactions, theme), left);
        canvas.render(PanelGrid::of_one(&unmatched, theme), right);
        return rest;
    }
    let (rcodes, rest) = split_top(area, charts::RCODES_HEIGHT);
    charts::draw_rcodes(canvas, rcodes, agent, window);
    if rest.height < NARROW_HEIGHT + LISTS_HEIGHT_MIN {
        return rest;
    }
    let (panels, rest) = split_top(rest, NARROW_HEIGHT);
    let [left, right] = beside(panels, area.width - unmatched.width());
    canvas.render(PanelGrid::of_one(&transactions, theme), left);
    canvas.render(PanelGrid::of_one(&unmatched, theme), right);
    rest
}

/// Two areas with a blank between them, the first as wide as given with that blank.
fn beside(area: Rect, width: u16) -> [Rect; 2] {
    let columns = [Constraint::Length(width.saturating_sub(1)), Constraint::Fill(1)];
    area.layout(&Layout::horizontal(columns).spacing(1))
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
