//! All agents: a row each, totals on top.

use std::time::Duration;

use ratatui::{layout::Rect, style::Style};

use crate::{
    app::{App, Hit},
    format,
    model::{Agent, Health, Keep, Observation, Standing, fit},
    theme::Theme,
    widgets::{
        Canvas, chart,
        kpi::{self, Kpi},
    },
};

use super::{kpis::count_or_nothing, split_top};

/// Heads of the columns of numbers, and their widths with the blank before them, in order of importance: what does not
/// fit is left out from the end.
const COLUMNS: [(&str, u16); 6] =
    [("queries/s", 10), ("failed", 7), ("NXDOMAIN", 9), ("p95", 7), ("in/s", 6), ("out/s", 6)];

/// Columns of the state.
const STATE_WIDTH: u16 = 15;
/// Columns left to a name before numbers give way.
const NAME_WIDTH_MIN: u16 = 12;

/// The fleet as one.
struct Totals {
    queries: u64,
    received: u64,
    sent: u64,
    replies: u64,
    errors: u64,
    slowest_us: Option<u64>,
    answering: usize,
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let (agents, now) = (app.agents(), app.now());
    let big = area.width >= 110 && area.height >= 20;
    let (top, rest) = split_top(area, if big { kpi::BIG } else { kpi::SMALL });
    draw_totals(canvas, top, &totals(agents, now), agents.len());
    let order = app.fleet_order();
    let remark = format!("{} of {} · {}", order.len(), agents.len(), app.fleet_sort.name());
    canvas.title(rest, "Agents", &[&remark, app.fleet_sort.name()], canvas.theme.text);
    let table = Rect { y: rest.y + 1, height: rest.height.saturating_sub(1), ..rest };
    draw_table(canvas, table, app, &order);
}

fn totals(agents: &[Agent], now: Duration) -> Totals {
    let mut totals =
        Totals { queries: 0, received: 0, sent: 0, replies: 0, errors: 0, slowest_us: None, answering: 0 };
    // What is stale is not happening now.
    let current =
        |agent: &&Agent| matches!(agent.standing(now), Standing::Live | Standing::Finished | Standing::Saved);
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

fn draw_totals(canvas: &mut Canvas<'_>, area: Rect, totals: &Totals, agents: usize) {
    let theme = canvas.theme;
    let errors = format::share(totals.errors, totals.replies);
    let kpi = |label: &str, value: String, style: Style| Kpi {
        label: label.to_owned(),
        value,
        style,
        past: Vec::new(),
    };
    let answering = Health::of_loss(format::share((agents - totals.answering) as u64, agents as u64));
    let kpis = [
        kpi("DNS queries/s", format::count(totals.queries), theme.value),
        kpi("Failed replies", format::percent(errors), theme.health(Health::of_errors(errors))),
        kpi(
            "Slowest p95",
            totals.slowest_us.map_or_else(|| format::NOTHING.to_owned(), format::microseconds),
            theme.value,
        ),
        kpi("Packets/s", format::count(totals.received.saturating_add(totals.sent)), theme.value),
        kpi("Answering", format!("{}/{agents}", totals.answering), theme.health(answering)),
    ];
    kpi::draw(canvas, area, &kpis);
}

fn draw_table(canvas: &mut Canvas<'_>, area: Rect, app: &App, order: &[usize]) {
    let theme = canvas.theme;
    let columns = columns(area.width);
    let numbers: u16 = columns.iter().map(|(_, width)| width).sum();
    let name_width = area.width.saturating_sub(numbers + STATE_WIDTH + 2).clamp(NAME_WIDTH_MIN, 60);
    let mut end = name_width + 1;
    canvas.put(area, 0, 1, "agent", theme.label);
    for (head, width) in columns {
        end += width;
        canvas.right(area, 0, end, head, theme.label);
    }
    canvas.put(area, 0, end + 2, "state", theme.label);
    if order.is_empty() {
        canvas.put(area, 1, 1, "nothing matches", theme.label);
    }
    let shown = usize::from(area.height.saturating_sub(1)).max(1);
    let cursor = order.iter().position(|index| *index == app.selected()).unwrap_or(0);
    let first = (cursor + 1).saturating_sub(shown);
    for (line, index) in (1u16..area.height.max(1)).zip(order.iter().skip(first)) {
        let Some(agent) = app.agents().get(*index) else { continue };
        let place = Rect { y: area.y + line, height: 1, ..area };
        draw_agent(canvas, place, agent, name_width, app.now());
        canvas.hit(place, Hit::Agent(*index));
        if *index == app.selected() {
            canvas.style(Rect { width: (name_width + 1).min(area.width), ..place }, theme.cursor);
        }
    }
}

/// As many columns of numbers as leave room for a name and the state.
fn columns(width: u16) -> &'static [(&'static str, u16)] {
    let width_of = |count: usize| -> u16 { COLUMNS.iter().take(count).map(|(_, width)| width).sum() };
    let fits = |count: &usize| width_of(*count) + NAME_WIDTH_MIN + STATE_WIDTH + 2 <= width;
    let count = (0..=COLUMNS.len()).rev().find(fits).unwrap_or(0);
    COLUMNS.get(..count).unwrap_or_default()
}

/// Draws the row of an agent.
fn draw_agent(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent, name_width: u16, now: Duration) {
    let theme = canvas.theme;
    let keep = Keep::of_address(agent.label.as_str());
    let name = fit(agent.label.as_str(), usize::from(name_width.saturating_sub(1)), keep);
    canvas.put(area, 0, 1, &name, theme.text);
    let (state, state_style) = state(agent, now, theme);
    let stale = matches!(agent.standing(now), Standing::Stale | Standing::Absent);
    let mut end = name_width + 1;
    for ((_, width), (text, style)) in columns(area.width).iter().zip(numbers(agent, theme)) {
        end += width;
        canvas.right(area, 0, end, &text, if stale { theme.label } else { style });
    }
    canvas.put(area, 0, end + 2, &state, state_style);
    let spark_column = end + 2 + STATE_WIDTH;
    if area.width > spark_column + 10 && !agent.is_file() {
        let spark = Rect { x: area.x + spark_column, width: (area.width - spark_column - 1).min(60), ..area };
        chart::columns(canvas, spark, agent.history.seconds(|second| second.queries), theme.bar);
    }
}

fn numbers(agent: &Agent, theme: &Theme) -> [(String, Style); 6] {
    let window = agent.window.as_ref();
    let errors = window.and_then(Observation::error_share);
    let nxdomain = window.and_then(|window| window.share_of(crate::model::Rcode::Nxdomain));
    let p95 = window.and_then(Observation::p95_us);
    let (received, sent) = agent.packets_per_second();
    [
        (count_or_nothing(agent.queries_per_second()), theme.value),
        (format::percent(errors), theme.health(Health::of_errors(errors))),
        (format::percent(nxdomain), theme.health(Health::of_nxdomain(nxdomain))),
        (p95.map_or_else(|| format::NOTHING.to_owned(), format::microseconds), theme.text),
        (count_or_nothing(received), theme.text),
        (count_or_nothing(sent), theme.text),
    ]
}

/// The state of a row: the connection first, then the worst of its numbers.
fn state(agent: &Agent, now: Duration, theme: &Theme) -> (String, Style) {
    let age = format::age(agent.age(now).unwrap_or_default());
    match agent.standing(now) {
        Standing::Connecting => ("○ connecting".to_owned(), theme.label),
        Standing::Stale => (format!("▲ stale {age:>6}"), theme.bad),
        Standing::Absent => ("✕ no answer".to_owned(), theme.bad),
        Standing::Saved => ("■ saved".to_owned(), theme.label),
        Standing::Live | Standing::Finished if agent.interface_trouble().is_some() => {
            ("▲ link down".to_owned(), theme.bad)
        }
        Standing::Live | Standing::Finished => match agent.health(now) {
            Health::Bad => ("● bad".to_owned(), theme.bad),
            Health::Warn => ("● look".to_owned(), theme.warn),
            Health::Good | Health::Unknown => ("● ok".to_owned(), theme.good),
        },
    }
}
