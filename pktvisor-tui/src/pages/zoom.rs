//! One list on the whole screen: every digit, the bounds of each estimate, and names at full
//! length.

use ratatui::{
    layout::{Constraint, Layout, Rect},
    text::Line,
};

use crate::{
    app::{Hit, UiState, Zoom},
    format,
    model::{ListKind, Observation, Row, fit},
    theme::Theme,
    widgets::{
        Canvas, chart,
        heading::Heading,
        notice,
        number_table::{self, Column, Cursor, NumberTable, TableRow, cell},
    },
};

/// Columns of numbers, in order of importance: columns that do not fit are left out from the end.
const COLUMNS: [(&str, u16); 5] =
    [("count", 12), ("share", 7), ("at least", 12), ("at most", 12), ("scaled", 12)];
/// The same where the agent gives rates: those of the last seconds, and by what they exceed the
/// window's.
const COLUMNS_WITH_RATES: [(&str, u16); 7] = [
    ("count", 12),
    ("share", 7),
    ("/s now", 7),
    ("change", 8),
    ("at least", 12),
    ("at most", 12),
    ("scaled", 12),
];
/// Columns of numbers that are always shown.
const COLUMNS_MIN: usize = 2;
/// Columns left to a name before numbers give way.
const NAME_WIDTH_MIN: u16 = 24;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation, zoom: Zoom) {
    let Some(kind) = app.focused_list() else { return };
    let theme = canvas.theme;
    let rows = window.rows(kind, &app.filter, app.sorts.of(kind));
    let whole = kind.whole(window);
    let by = format!("by {}", app.sorts.of(kind).name());
    let remark = format!("{} of {} · {by}", rows.len(), window.list(kind).len());
    let explanation = format!("{} ({})", kind.explanation(), format::exact(whole));
    let lines = notice::wrap(&explanation, usize::from(area.width.saturating_sub(2)));
    let explanation_height = Constraint::Length(u16::try_from(lines.len()).unwrap_or(u16::MAX));
    let areas = [Constraint::Length(1), explanation_height, Constraint::Length(1), Constraint::Fill(1)];
    let [heading, explanation, _, table] = area.layout(&Layout::vertical(areas));
    canvas.render(
        Heading { title: kind.title(), remarks: &[&remark, &by], style: theme.accent, theme },
        heading,
    );
    for (row, line) in (0u16..).zip(&lines) {
        canvas.put(explanation, row, 1, line, theme.label);
    }
    if rows.is_empty() {
        let text = if app.filter.is_empty() { kind.why_empty(window) } else { "nothing matches" };
        canvas.put(table, 1, 1, text, theme.label);
        return;
    }
    let details = details(rows.get(zoom.row).copied(), window, usize::from(area.width.saturating_sub(2)));
    let detail_height = u16::try_from(details.len()).unwrap_or(0).min(table.height / 2);
    let [list, detail] =
        table.layout(&Layout::vertical([Constraint::Fill(1), Constraint::Length(detail_height)]));
    let table = ZoomedList { kind, rows: &rows, whole, cursor: zoom.row, theme };
    table.draw(canvas, list);
    for (row, line) in (0u16..).zip(&details) {
        canvas.put(detail, row, 1, line, if row == 0 { theme.label } else { theme.text });
    }
}

/// The rows of the list.
struct ZoomedList<'a> {
    kind: ListKind,
    rows: &'a [&'a Row],
    /// What shares are of.
    whole: u64,
    cursor: usize,
    theme: &'a Theme,
}

/// The columns of numbers that fit into an area, and their width.
fn numbers_within(
    area_width: u16,
    all: &'static [(&'static str, u16)],
) -> (&'static [(&'static str, u16)], u16) {
    let width_of = |columns: usize| -> u16 { all.iter().take(columns).map(|(_, width)| width).sum() };
    let fits = |columns: &usize| width_of(*columns) + NAME_WIDTH_MIN <= area_width;
    let columns = (COLUMNS_MIN..=all.len()).rev().find(fits).unwrap_or(COLUMNS_MIN);
    (all.get(..columns).unwrap_or_default(), width_of(columns))
}

impl ZoomedList<'_> {
    /// Columns of names: up to the longest; bars get the rest.
    fn name_width(&self, area_width: u16, numbers_width: u16) -> u16 {
        let spare = area_width.saturating_sub(numbers_width + NAME_WIDTH_MIN + 2);
        let longest = self.rows.iter().map(|row| row.name.width()).max().unwrap_or(0);
        NAME_WIDTH_MIN
            .max(u16::try_from(longest + 2).unwrap_or(u16::MAX))
            .min(NAME_WIDTH_MIN + spare)
            .min(area_width.saturating_sub(numbers_width))
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let theme = self.theme;
        let all = if self.has_rates() { &COLUMNS_WITH_RATES[..] } else { &COLUMNS };
        let (numbers, numbers_width) = numbers_within(area.width, all);
        let name_width = self.name_width(area.width, numbers_width);
        let bar_width = area.width.saturating_sub(name_width + numbers_width + 3).min(60);
        let mut columns = vec![Column::Blank(1), Column::Text(name_width - 1)];
        columns.extend(numbers.iter().map(|(_, width)| Column::Number(*width)));
        let cursor = Cursor { row: self.cursor, columns: columns.len() };
        columns.extend([Column::Blank(2), Column::Text(bar_width)]);
        let largest = self.rows.iter().map(|row| row.estimate).max().unwrap_or(0);
        let visible = number_table::visible(area.height, self.cursor, self.rows.len());
        let shown = visible.clone().zip(self.rows.get(visible.clone()).unwrap_or_default());
        let rows = shown.map(|(index, row)| {
            let name = fit(row.name.as_str(), usize::from(name_width.saturating_sub(2)), self.kind.keep());
            let numbers = self.numbers_of(row).into_iter().take(numbers.len());
            let bar = chart::bar(row.estimate, largest, usize::from(bar_width));
            let cells = std::iter::once(cell(name, theme.text)).chain(numbers).chain([cell(bar, theme.bar)]);
            TableRow { hit: Some(Hit::Row(index)), ..cells.collect() }
        });
        let heads = std::iter::once("").chain(numbers.iter().map(|(head, _)| *head));
        let table = NumberTable {
            columns: &columns,
            heads: Some(heads.map(|head| cell(head, theme.label)).collect()),
            rows: rows.collect(),
            first: visible.start,
            cursor: Some(cursor),
            theme,
        };
        canvas.render(table, area);
    }

    fn has_rates(&self) -> bool {
        self.rows.iter().any(|row| row.rate.is_some())
    }

    /// Every digit where it fits into its column.
    fn numbers_of(&self, row: &Row) -> Vec<Line<'static>> {
        let theme = self.theme;
        // The width of the columns without the blank before them.
        let number = |value: u64| format::exact_within(value, 11);
        let optional = |value: Option<u64>| match value {
            Some(value) => cell(number(value), theme.text),
            None => cell(format::NOTHING, theme.label),
        };
        let mut numbers = vec![
            cell(number(row.estimate), theme.value),
            cell(format::percent(format::share(row.estimate, self.whole)), theme.text),
        ];
        if self.has_rates() {
            let rate = row.rate.unwrap_or_default();
            numbers.push(cell(format::rate(rate.now_milli), theme.value));
            numbers.push(cell(format::change(rate.change_milli()), theme.text));
        }
        numbers.extend([
            optional(row.bounds.map(|(lower, _)| lower)),
            optional(row.bounds.map(|(_, upper)| upper)),
            optional(row.scaled),
        ]);
        numbers
    }
}

/// The row under the cursor in words.
fn details(row: Option<&Row>, window: &Observation, width: usize) -> Vec<String> {
    let Some(row) = row else { return Vec::new() };
    let mut lines = vec!["─".repeat(width)];
    let name: Vec<char> = row.name.as_str().chars().collect();
    // One column a character is the least, two the most: half the width always fits.
    let per_line = if row.name.width() == name.len() { width } else { width / 2 };
    lines.extend(name.chunks(per_line.max(1)).map(|chunk| chunk.iter().collect()));
    lines.push(match row.bounds {
        Some((lower, upper)) if lower == upper => format!("exactly {}", format::exact(lower)),
        Some((lower, upper)) => format!("between {} and {}", format::exact(lower), format::exact(upper)),
        None => format!("about {}; this agent reports no bounds", format::exact(row.estimate)),
    });
    if let Some(scaled) = row.scaled
        && window.analysed_share() < 0.9995
    {
        let share = format::percent(Some(window.analysed_share()));
        lines.push(format!("about {} in all, as {share} was analysed", format::exact(scaled)));
    }
    lines
        .into_iter()
        .flat_map(|line| if line.starts_with('─') { vec![line] } else { notice_or(line, width) })
        .collect()
}

fn notice_or(line: String, width: usize) -> Vec<String> {
    if line.contains(' ') { notice::wrap(&line, width) } else { vec![line] }
}
