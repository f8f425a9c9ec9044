//! Facts in columns: a panel of labelled numbers, or a line of them where there is no room for panels.

use ratatui::{layout::Rect, style::Style};
use unicode_width::UnicodeWidthStr;

use super::{Canvas, chart};
use crate::format;

/// A number with its style.
pub type Cell = (String, Style);

/// A row of a panel.
pub struct Fact {
    /// What the numbers are.
    pub label: &'static str,
    /// The numbers, right-aligned under the panel's heads.
    pub cells: Vec<Cell>,
    /// What a bar at the right shows, where there is room: part and whole.
    pub bar: Option<(u64, u64)>,
}

/// Labelled numbers under a title.
pub struct Panel {
    /// What they are about.
    pub title: String,
    /// Right end of the title.
    pub remark: String,
    /// Columns of each number with the blank before it: the widest that the numbers' format can be, and one.
    pub cell_width: u16,
    /// Heads of the columns; empty where the title says enough.
    pub heads: Vec<&'static str>,
    /// The rows.
    pub facts: Vec<Fact>,
}

impl Fact {
    /// A count and its share of a whole, with a bar of it.
    pub fn part(label: &'static str, part: u64, whole: u64, value: Style, text: Style) -> Self {
        let share = format::percent(format::share(part, whole));
        Self { label, cells: vec![(format::count(part), value), (share, text)], bar: Some((part, whole)) }
    }

    /// Numbers as they are.
    pub fn numbers(label: &'static str, cells: Vec<Cell>) -> Self {
        Self { label, cells, bar: None }
    }
}

/// Draws a panel: numbers close to their labels, in columns that stay where they are.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, panel: &Panel) {
    canvas.title(area, &panel.title, &panel.remark, canvas.theme.text);
    let labels = panel.facts.iter().map(|fact| fact.label.width()).max().unwrap_or(0);
    let columns = panel.facts.iter().map(|fact| fact.cells.len()).max().unwrap_or(0).max(panel.heads.len());
    let columns = u16::try_from(columns).unwrap_or(0);
    let label_width = u16::try_from(labels).unwrap_or(0) + 1;
    let needed = label_width + columns * panel.cell_width;
    let mut line = 1;
    if !panel.heads.is_empty() {
        for (column, head) in (1u16..).zip(&panel.heads) {
            canvas.right(area, line, label_width + column * panel.cell_width, head, canvas.theme.label);
        }
        line += 1;
    }
    for fact in &panel.facts {
        canvas.put(area, line, 1, fact.label, canvas.theme.label);
        for (column, (text, style)) in (1u16..).zip(&fact.cells) {
            canvas.right(area, line, label_width + column * panel.cell_width, text, *style);
        }
        let room = area.width.saturating_sub(needed + 3);
        if let Some((part, whole)) = fact.bar
            && room >= 4
        {
            let bar = chart::bar(part, whole, usize::from(room.min(30)));
            canvas.put(area, line, needed + 2, &bar, canvas.theme.bar);
        }
        line += 1;
    }
}

/// Draws panels side by side in equal cells.
pub fn draw_row(canvas: &mut Canvas<'_>, area: Rect, panels: &[Panel]) {
    let Some(width) = u16::try_from(panels.len()).ok().and_then(|count| area.width.checked_div(count)) else {
        return;
    };
    for (index, panel) in (0u16..).zip(panels) {
        let last = usize::from(index) + 1 == panels.len();
        let cell = Rect { x: area.x + index * width, width: width.saturating_sub(u16::from(!last)), ..area };
        draw(canvas, cell, panel);
    }
}

/// A line of labelled numbers, each number five columns wide so that the next label stays where it is.
pub fn line(canvas: &mut Canvas<'_>, area: Rect, row: u16, fields: &[(&str, String, Style)]) {
    let mut column = 0;
    for (label, value, style) in fields {
        canvas.put(area, row, column, label, canvas.theme.label);
        let value_end = column + u16::try_from(label.width()).unwrap_or(0) + 6;
        if value_end > area.width {
            return;
        }
        canvas.right(area, row, value_end, value, *style);
        column = value_end + 2;
    }
}
