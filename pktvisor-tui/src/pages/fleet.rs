//! All agents: totals and the union of their windows on top, a row each, and the top lists of all.

mod table;
mod union;

use std::time::Duration;

use ratatui::{layout::Rect, style::Style};

use crate::{
    app::UiState,
    format,
    model::{AgentModel, HealthLevel, Standing},
    widgets::{
        Canvas,
        grid::split_top,
        heading::Heading,
        tiles::{BIG, Reading, Tile, TileStrip},
    },
};

/// The fleet as one.
struct FleetTotals {
    queries: u64,
    received: u64,
    sent: u64,
    replies: u64,
    errors: u64,
    slowest_us: Option<u64>,
    answering: usize,
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState) {
    let (agents, now) = (app.agents(), app.now());
    let big = area.width >= 110 && area.height >= 20;
    let (top, rest) = split_top(area, if big { BIG - 2 } else { 2 });
    draw_totals(canvas, top, &totals(agents, now), agents.len());
    let rest = match app.fleet() {
        Some(fleet) => union::draw(canvas, rest, fleet, agents.len()),
        None => rest,
    };
    let order = app.fleet_order();
    let listed = order.iter().filter(|place| !app.is_whole_fleet(**place)).count();
    let remark = format!("{listed} of {} · {}", agents.len(), app.fleet_sort.name());
    let rows = u16::try_from(order.len()).unwrap_or(u16::MAX).max(1);
    let (table, lists) = match app.fleet() {
        Some(_) => split_top(rest, table_height(rest.height, rows)),
        None => (rest, Rect::default()),
    };
    let (heading, table) = split_top(table, 1);
    let (remarks, theme) = ([remark.as_str(), app.fleet_sort.name()], canvas.theme);
    canvas.render(Heading { title: "Agents", remarks: &remarks, style: theme.text, theme }, heading);
    table::draw(canvas, table, app, &order);
    if let Some(window) = app.fleet().and_then(|fleet| fleet.agent.window.as_ref()) {
        union::draw_lists(canvas, lists, window);
    }
}

/// Rows of the table of agents with its title and heads: what the agents need, unless the lists below
/// would have too few.
fn table_height(height: u16, agents: u16) -> u16 {
    const TABLE_MIN: u16 = 6;
    let needed = agents.saturating_add(2);
    if height < TABLE_MIN + union::LISTS_HEIGHT_MIN {
        return height;
    }
    needed.min(height - union::LISTS_HEIGHT_MIN).max(TABLE_MIN)
}

fn totals(agents: &[AgentModel], now: Duration) -> FleetTotals {
    let mut totals = FleetTotals {
        queries: 0,
        received: 0,
        sent: 0,
        replies: 0,
        errors: 0,
        slowest_us: None,
        answering: 0,
    };
    // Stale rates are not current.
    let current = |agent: &&AgentModel| {
        matches!(agent.standing(now), Standing::Live | Standing::Finished | Standing::Saved)
    };
    for agent in agents.iter().filter(current) {
        let (received, sent) = agent.packets_per_second();
        totals.answering += 1;
        totals.queries = totals.queries.saturating_add(agent.queries_per_second().unwrap_or(0));
        totals.received = totals.received.saturating_add(received.unwrap_or(0));
        totals.sent = totals.sent.saturating_add(sent.unwrap_or(0));
        if let Some(window) = &agent.window {
            totals.replies = totals.replies.saturating_add(window.dns.wire_packets.replies);
            totals.errors = totals.errors.saturating_add(window.errors());
            totals.slowest_us = totals.slowest_us.max(window.p95_us());
        }
    }
    totals
}

fn draw_totals(canvas: &mut Canvas<'_>, area: Rect, totals: &FleetTotals, agents: usize) {
    let theme = canvas.theme;
    let errors = format::share(totals.errors, totals.replies);
    let tile = |label: &'static str, text: String, style: Style| {
        Tile::of_one(label, Reading::default(), Reading { text, style }, Vec::new())
    };
    let answering = HealthLevel::of_loss(format::share((agents - totals.answering) as u64, agents as u64));
    let tiles = [
        tile("DNS queries/s", format::count(totals.queries), theme.value),
        tile("Failed replies", format::percent(errors), theme.health(HealthLevel::of_errors(errors))),
        tile(
            "Slowest p95",
            totals.slowest_us.map_or_else(|| format::NOTHING.to_owned(), format::microseconds),
            theme.value,
        ),
        tile("Packets/s", format::count(totals.received.saturating_add(totals.sent)), theme.value),
        tile("Answering", format!("{}/{agents}", totals.answering), theme.health(answering)),
    ];
    canvas.render(TileStrip { tiles: &tiles, now: "", window: "all", theme }, area);
}
