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

impl Panel {
    /// Columns of the labels, with the blank before them.
    fn label_width(&self) -> u16 {
        let widest = self.facts.iter().map(|fact| fact.label.width()).max().unwrap_or(0);
        u16::try_from(widest).unwrap_or(0) + 1
    }

    /// Columns that labels and numbers need.
    pub fn width(&self) -> u16 {
        let columns = self.facts.iter().map(|fact| fact.cells.len()).max().unwrap_or(0).max(self.heads.len());
        self.label_width() + u16::try_from(columns).unwrap_or(0) * self.cell_width
    }
}

/// Draws a panel: numbers close to their labels, in columns that stay where they are. Numbers that do not fit are left
/// out.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, panel: &Panel) {
    canvas.title(area, &panel.title, &[&panel.remark], canvas.theme.text);
    let (label_width, needed) = (panel.label_width(), panel.width());
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

/// Panels beside each other, so that the numbers of each fit and rows are even.
fn columns(width: u16, panels: &[Panel]) -> usize {
    let needed = panels.iter().map(Panel::width).max().unwrap_or(0);
    // A blank between two panels.
    let most = usize::from((width + 1) / (needed + 1)).clamp(1, panels.len().max(1));
    panels.len().div_ceil(panels.len().div_ceil(most).max(1)).max(1)
}

/// Rows of panels that [`draw_grid`] needs for all of them.
pub fn rows(width: u16, panels: &[Panel]) -> u16 {
    u16::try_from(panels.len().div_ceil(columns(width, panels))).unwrap_or(u16::MAX)
}

/// Draws panels in equal cells of `height` rows, as many beside each other as are readable, as far as the area reaches.
pub fn draw_grid(canvas: &mut Canvas<'_>, area: Rect, height: u16, panels: &[Panel]) {
    let columns = columns(area.width, panels);
    let Some(width) = u16::try_from(columns).ok().and_then(|count| area.width.checked_div(count)) else {
        return;
    };
    for (row, panels) in (0u16..).zip(panels.chunks(columns)) {
        let top = row.saturating_mul(height);
        if top >= area.height {
            return;
        }
        for (index, panel) in (0u16..).zip(panels) {
            let last = usize::from(index) + 1 == columns;
            let cell = Rect {
                x: area.x + index * width,
                y: area.y + top,
                width: width.saturating_sub(u16::from(!last)),
                height: height.min(area.height - top),
            };
            draw(canvas, cell, panel);
        }
    }
}

/// Labelled numbers in lines, each number five columns wide so that the next label stays where it is. What does not fit
/// into a line goes into the next one. Returns the lines used.
pub fn lines(canvas: &mut Canvas<'_>, area: Rect, fields: &[(&str, Cell)]) -> u16 {
    let mut last_row = 0;
    for ((row, column), (label, (value, style))) in places(area.width, fields).into_iter().zip(fields) {
        canvas.whole(area, row, column, label, canvas.theme.label);
        canvas.right(area, row, column + field_width(label), value, *style);
        last_row = row;
    }
    last_row + 1
}

/// Lines that [`lines`] uses.
pub fn lines_needed(width: u16, fields: &[(&str, Cell)]) -> u16 {
    places(width, fields).last().map_or(0, |(row, _)| row + 1)
}

/// Columns of a label and the widest count or share, with the blank between them.
fn field_width(label: &str) -> u16 {
    u16::try_from(label.width()).unwrap_or(0) + 6
}

/// Row and column of each field.
fn places(width: u16, fields: &[(&str, Cell)]) -> Vec<(u16, u16)> {
    let (mut row, mut column) = (0, 0);
    let mut place = |label: &str| {
        let needed = field_width(label);
        if column > 0 && column + needed > width {
            (row, column) = (row + 1, 0);
        }
        let place = (row, column);
        column += needed + 2;
        place
    };
    fields.iter().map(|(label, _)| place(label)).collect()
}

/// Joins as many of the parts as fit into `width` columns: a part is shown whole or not at all.
pub fn join(parts: &[String], width: usize) -> String {
    let mut text = String::new();
    for part in parts {
        let separator = if text.is_empty() { "" } else { " · " };
        if text.width() + separator.width() + part.width() > width {
            break;
        }
        text.push_str(separator);
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(label: &'static str, cells: usize) -> Panel {
        let cells = vec![("18.4E".to_owned(), Style::new()); cells];
        Panel {
            title: "x".to_owned(),
            remark: String::new(),
            cell_width: 6,
            heads: vec![],
            facts: vec![Fact::numbers(label, cells)],
        }
    }

    #[test]
    fn panels_that_do_not_fit_beside_each_other_go_below() {
        // 17 columns each, and a blank between two.
        let panels: Vec<Panel> = (0..4).map(|_| panel("long", 2)).collect();
        for (width, expected) in [(80, 1), (71, 1), (70, 2), (53, 2), (35, 2), (34, 4), (10, 4)] {
            assert_eq!(rows(width, &panels), expected, "{width}");
        }
    }

    #[test]
    fn fields_that_do_not_fit_go_to_the_next_line() {
        let field = |label| (label, ("1".to_owned(), Style::new()));
        let fields = [field("UDP"), field("TCP"), field("other")];
        assert_eq!(places(40, &fields), [(0, 0), (0, 11), (0, 22)]);
        assert_eq!(places(32, &fields), [(0, 0), (0, 11), (1, 0)]);
        assert_eq!(places(3, &fields), [(0, 0), (1, 0), (2, 0)]);
    }

    #[test]
    fn parts_are_whole_or_not_there() {
        let parts = ["EDNS 80.0%".to_owned(), "DO 18.4E".to_owned()];
        assert_eq!(join(&parts, 21), "EDNS 80.0% · DO 18.4E");
        assert_eq!(join(&parts, 20), "EDNS 80.0%");
        assert_eq!(join(&parts, 9), "");
    }
}
