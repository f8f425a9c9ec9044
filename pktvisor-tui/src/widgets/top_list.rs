//! One list: names with count, share and bar.

use ratatui::{layout::Rect, style::Style};

use super::{Canvas, chart};
use crate::{
    format,
    model::{ListKind, Observation, Row, Sort, fit},
};

/// What to draw of a list.
pub struct TopList<'a> {
    /// Which.
    pub kind: ListKind,
    /// Where its rows are; nothing before the first answer.
    pub observation: &'a Observation,
    /// Only names that contain this.
    pub filter: &'a str,
    /// Order.
    pub sort: Sort,
    /// Whether keys go to it.
    pub focused: bool,
}

/// Columns of count and share, each with the blank before it.
const NUMBERS: usize = 6 + 6;

/// Draws title and as many rows as fit.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, list: &TopList<'_>) {
    let all = list.observation.list(list.kind);
    let rows = list.observation.rows(list.kind, list.filter, list.sort);
    let whole = list.kind.whole(list.observation);
    let title_style = if list.focused { canvas.theme.accent } else { canvas.theme.text };
    let title =
        if list.focused { format!("▸ {}", list.kind.title()) } else { list.kind.title().to_owned() };
    let remark = match (list.filter.is_empty(), all.is_empty()) {
        (false, _) => format!("{} of {}", rows.len(), all.len()),
        (true, true) => String::new(),
        (true, false) => format!("of {}", format::count(whole)),
    };
    let sort = match list.sort {
        Sort::Count => String::new(),
        other => format!("by {}", other.name()),
    };
    let both = if sort.is_empty() { remark.clone() } else { format!("{sort} · {remark}") };
    canvas.title(area, &title, &[&both, &sort, &remark], title_style);
    if rows.is_empty() {
        let text = if all.is_empty() { list.kind.why_empty(list.observation) } else { "nothing matches" };
        canvas.put(area, 1, 1, text, canvas.theme.label);
    }
    let largest = rows.iter().map(|row| row.estimate).max().unwrap_or(0);
    let shown = usize::from(area.height.saturating_sub(1));
    for (line, row) in (1u16..).zip(rows.iter().take(shown)) {
        draw_row(canvas, area, line, list.kind, row, whole, largest);
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    area: Rect,
    line: u16,
    kind: ListKind,
    row: &Row,
    whole: u64,
    largest: u64,
) {
    let width = usize::from(area.width);
    let bar_width = bar_width(width);
    // One blank to the left, and one before the bar.
    let name_width = width.saturating_sub(1 + NUMBERS + if bar_width > 0 { bar_width + 1 } else { 0 });
    canvas.put(area, line, 1, &fit(row.name.as_str(), name_width, kind.keep()), Style::new());
    let name_end = u16::try_from(1 + name_width).unwrap_or(u16::MAX);
    canvas.right(area, line, name_end + 6, &format::count(row.estimate), canvas.theme.value);
    let share = format::percent(format::share(row.estimate, whole));
    canvas.right(area, line, name_end + 12, &share, canvas.theme.text);
    canvas.put(area, line, name_end + 13, &chart::bar(row.estimate, largest, bar_width), canvas.theme.bar);
}

fn bar_width(width: usize) -> usize {
    match width {
        0..24 => 0,
        24..32 => 3,
        32..60 => width / 6,
        _ => width / 4,
    }
}
