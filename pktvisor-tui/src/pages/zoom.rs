//! One list on the whole screen: every digit, the bounds of each estimate, and names at full length.

use ratatui::{layout::Rect, style::Style};

use crate::{
    app::{App, Hit, Zoom},
    format,
    model::{ListKind, Observation, Row, fit},
    widgets::{Canvas, chart, notice},
};

/// Columns of numbers, in order of importance: what does not fit is left out from the end.
const COLUMNS: [(&str, u16); 5] =
    [("count", 12), ("share", 7), ("at least", 12), ("at most", 12), ("scaled", 12)];
/// Columns left to a name before numbers give way.
const NAME_WIDTH_MIN: u16 = 24;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App, window: &Observation, zoom: Zoom) {
    let Some(kind) = app.focused_list() else { return };
    let theme = canvas.theme;
    let rows = window.rows(kind, &app.filter, app.sorts.of(kind));
    let whole = kind.whole(window);
    let by = format!("by {}", app.sorts.of(kind).name());
    let remark = format!("{} of {} · {by}", rows.len(), window.list(kind).len());
    canvas.title(area, kind.title(), &[&remark, &by], theme.accent);
    let explanation = format!("{} ({})", kind.explanation(), format::exact(whole));
    let lines = notice::wrap(&explanation, usize::from(area.width.saturating_sub(2)));
    for (row, line) in (1u16..).zip(&lines) {
        canvas.put(area, row, 1, line, theme.label);
    }
    let (_, table) = super::split_top(area, 2 + u16::try_from(lines.len()).unwrap_or(0));
    if rows.is_empty() {
        let text = if app.filter.is_empty() { kind.why_empty(window) } else { "nothing matches" };
        canvas.put(table, 1, 1, text, theme.label);
        return;
    }
    let details = details(rows.get(zoom.row).copied(), window, usize::from(area.width.saturating_sub(2)));
    let detail_height = u16::try_from(details.len()).unwrap_or(0).min(table.height / 2);
    let list = Rect { height: table.height - detail_height, ..table };
    draw_table(canvas, list, kind, &rows, whole, zoom.row);
    let detail = Rect { y: list.bottom(), height: detail_height, ..table };
    for (row, line) in (0u16..).zip(&details) {
        canvas.put(detail, row, 1, line, if row == 0 { theme.label } else { theme.text });
    }
}

fn draw_table(canvas: &mut Canvas<'_>, area: Rect, kind: ListKind, rows: &[&Row], whole: u64, cursor: usize) {
    let theme = canvas.theme;
    let mut columns = COLUMNS.len();
    let width_of = |columns: usize| -> u16 { COLUMNS.iter().take(columns).map(|(_, width)| width).sum() };
    while columns > 2 && width_of(columns) + NAME_WIDTH_MIN > area.width {
        columns -= 1;
    }
    let numbers = width_of(columns);
    let spare = area.width.saturating_sub(numbers + NAME_WIDTH_MIN + 2);
    let longest = rows.iter().map(|row| row.name.width()).max().unwrap_or(0);
    // Names first, up to the longest; what is then left is for bars.
    let name_width = NAME_WIDTH_MIN
        .max(u16::try_from(longest + 2).unwrap_or(u16::MAX))
        .min(NAME_WIDTH_MIN + spare)
        .min(area.width.saturating_sub(numbers));
    let bar_width = area.width.saturating_sub(name_width + numbers + 3).min(60);
    let mut end = name_width;
    for (head, width) in COLUMNS.iter().take(columns) {
        end += width;
        canvas.right(area, 0, end, head, theme.label);
    }
    let shown = usize::from(area.height.saturating_sub(1)).max(1);
    let first = (cursor + 1).saturating_sub(shown);
    let largest = rows.iter().map(|row| row.estimate).max().unwrap_or(0);
    for (line, (index, row)) in (1u16..).zip(rows.iter().enumerate().skip(first).take(shown)) {
        let name = fit(row.name.as_str(), usize::from(name_width.saturating_sub(2)), kind.keep());
        canvas.put(area, line, 1, &name, theme.text);
        let mut end = name_width;
        for ((_, width), (text, style)) in COLUMNS.iter().take(columns).zip(numbers_of(row, whole, canvas)) {
            end += width;
            canvas.right(area, line, end, &text, style);
        }
        let bar = chart::bar(row.estimate, largest, usize::from(bar_width));
        canvas.put(area, line, end + 2, &bar, theme.bar);
        let place = Rect { y: area.y + line, height: 1, ..area };
        if line < area.height {
            canvas.hit(place, Hit::Row(index));
            if index == cursor {
                canvas.style(Rect { width: end.min(area.width), ..place }, theme.cursor);
            }
        }
    }
}

/// Every digit where it fits into its column.
fn numbers_of(row: &Row, whole: u64, canvas: &Canvas<'_>) -> [(String, Style); 5] {
    let theme = canvas.theme;
    // The width of the columns without the blank before them.
    let number = |value: u64| format::exact_within(value, 11);
    let optional = |value: Option<u64>| match value {
        Some(value) => (number(value), theme.text),
        None => (format::NOTHING.to_owned(), theme.label),
    };
    [
        (number(row.estimate), theme.value),
        (format::percent(format::share(row.estimate, whole)), theme.text),
        optional(row.bounds.map(|(lower, _)| lower)),
        optional(row.bounds.map(|(_, upper)| upper)),
        optional(row.scaled),
    ]
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
        None => format!("about {}; this agent does not tell bounds", format::exact(row.estimate)),
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
