//! The table of agents: a row each, that of the whole fleet in front.

use std::{ops::RangeInclusive, time::Duration};

use ratatui::{layout::Rect, style::Style};

use super::super::tiles::count_or_nothing;
use crate::{
    app::{Hit, UiState},
    format,
    model::{AgentModel, HealthLevel, KeptEnd, Observation, Standing, fit},
    theme::Theme,
    widgets::{
        Canvas,
        chart::ColumnChart,
        grid::{split_left, split_top},
        number_table::{self, Column, Cursor, NumberTable, TableRow, cell},
    },
};

/// Heads of the columns of numbers, and their widths with the blank before them, in order of
/// importance: columns that do not fit are left out from the end.
const COLUMNS: [(&str, u16); 6] =
    [("queries/s", 10), ("failed", 7), ("NXDOMAIN", 9), ("p95", 7), ("in/s", 6), ("out/s", 6)];

/// Columns of the state.
const STATE_WIDTH: u16 = 15;
/// Columns left to a name before numbers give way.
const NAME_WIDTH_MIN: u16 = 12;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, order: &[usize]) {
    let theme = canvas.theme;
    let numbers = columns(area.width);
    let numbers_width: u16 = numbers.iter().map(|(_, width)| width).sum();
    let name_width = area.width.saturating_sub(numbers_width + STATE_WIDTH + 2).clamp(NAME_WIDTH_MIN, 60);
    let mut columns = vec![Column::Blank(1), Column::Text(name_width)];
    columns.extend(numbers.iter().map(|(_, width)| Column::Number(*width)));
    columns.extend([Column::Blank(2), Column::Text(STATE_WIDTH)]);
    let heads = std::iter::once("agent").chain(numbers.iter().map(|(head, _)| *head)).chain(["state"]);
    let cursor = order.iter().position(|index| *index == app.selected());
    let visible = number_table::visible(area.height, cursor.unwrap_or(0), order.len());
    let shown: Vec<(usize, &AgentModel)> = order
        .get(visible.clone())
        .unwrap_or_default()
        .iter()
        .filter_map(|index| Some((*index, app.agent_at(*index)?)))
        .collect();
    let row = |(index, agent): &(usize, &AgentModel)| TableRow {
        hit: Some(Hit::Agent(*index)),
        ..agent_row(agent, usize::from(name_width), numbers.len(), app)
    };
    let table = NumberTable {
        columns: &columns,
        heads: Some(heads.map(|head| cell(head, theme.label)).collect()),
        rows: shown.iter().map(row).collect(),
        first: visible.start,
        cursor: cursor.map(|row| Cursor { row, columns: 2 }),
        theme,
    };
    canvas.render(table, area);
    let (_, body) = split_top(area, 1);
    if order.is_empty() {
        canvas.put(body, 0, 1, "nothing matches", theme.label);
    }
    let (_, past) = split_left(body, name_width + 1 + numbers_width + 2 + STATE_WIDTH);
    draw_past_queries(canvas, past, shown.iter().map(|(_, agent)| *agent));
}

/// Columns of the chart of an agent's queries.
const PAST_WIDTH: RangeInclusive<u16> = 10..=60;

/// Queries of each agent over time, where there is room.
fn draw_past_queries<'a>(canvas: &mut Canvas<'_>, area: Rect, agents: impl Iterator<Item = &'a AgentModel>) {
    // A blank stays at the right.
    let width = area.width.saturating_sub(1);
    if width < *PAST_WIDTH.start() {
        return;
    }
    let (area, _) = split_left(area, width.min(*PAST_WIDTH.end()));
    for (row, agent) in area.rows().zip(agents).filter(|(_, agent)| !agent.is_file()) {
        let queries = agent.history.seconds().map(|second| second.queries);
        canvas.render(ColumnChart::new(queries, row.width, canvas.theme), row);
    }
}

/// As many columns of numbers as leave room for a name and the state.
fn columns(width: u16) -> &'static [(&'static str, u16)] {
    let width_of = |count: usize| -> u16 { COLUMNS.iter().take(count).map(|(_, width)| width).sum() };
    let fits = |count: &usize| width_of(*count) + NAME_WIDTH_MIN + STATE_WIDTH + 2 <= width;
    let count = (0..=COLUMNS.len()).rev().find(fits).unwrap_or(0);
    COLUMNS.get(..count).unwrap_or_default()
}

/// The row of an agent with its first numbers.
fn agent_row(
    agent: &AgentModel,
    name_width: usize,
    numbers_shown: usize,
    app: &UiState,
) -> TableRow<'static> {
    let (theme, now) = (&app.theme, app.now());
    let keep = KeptEnd::of_address(agent.label.as_str());
    let name = fit(agent.label.as_str(), name_width.saturating_sub(1), keep);
    let stale = matches!(agent.standing(now), Standing::Stale | Standing::Absent);
    let number = |(text, style)| cell(text, if stale { theme.label } else { style });
    let numbers = numbers(agent, theme).into_iter().take(numbers_shown).map(number);
    let is_whole_fleet = app.fleet().is_some_and(|fleet| std::ptr::eq(&fleet.agent, agent));
    let (state, state_style) = match app.fleet().filter(|_| is_whole_fleet) {
        Some(fleet) => (format!("∪ {} agents", fleet.agents.whole), theme.label),
        None => state(agent, now, theme),
    };
    std::iter::once(cell(name, if is_whole_fleet { theme.accent } else { theme.text }))
        .chain(numbers)
        .chain([cell(state, state_style)])
        .collect()
}

fn numbers(agent: &AgentModel, theme: &Theme) -> [(String, Style); 6] {
    let window = agent.window.as_ref();
    let errors = window.and_then(Observation::error_share);
    let nxdomain = window.and_then(|window| window.share_of(crate::model::Rcode::Nxdomain));
    let p95 = window.and_then(Observation::p95_us);
    let (received, sent) = agent.packets_per_second();
    [
        (count_or_nothing(agent.queries_per_second()), theme.value),
        (format::percent(errors), theme.health(HealthLevel::of_errors(errors))),
        (format::percent(nxdomain), theme.health(HealthLevel::of_nxdomain(nxdomain))),
        (p95.map_or_else(|| format::NOTHING.to_owned(), format::microseconds), theme.text),
        (count_or_nothing(received), theme.text),
        (count_or_nothing(sent), theme.text),
    ]
}

/// The state of a row: the connection first, then the worst of its numbers.
fn state(agent: &AgentModel, now: Duration, theme: &Theme) -> (String, Style) {
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
            HealthLevel::Bad => ("● bad".to_owned(), theme.bad),
            HealthLevel::Warn => ("● look".to_owned(), theme.warn),
            HealthLevel::Good | HealthLevel::Unknown => ("● ok".to_owned(), theme.good),
        },
    }
}
