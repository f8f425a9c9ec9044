//! Facts in columns: a panel of labelled numbers, or a line of them where there is no room for
//! panels.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line, widgets::StatefulWidget};
use unicode_width::UnicodeWidthStr;

use super::{
    canvas::Canvas,
    chart,
    grid::{equal_columns_to_the_edge, split_top},
    heading::Heading,
    number_table::{Column, NumberTable, TableRow, cell},
};
use crate::{app::Regions, format, theme::Theme};

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
    /// Columns of each number with the blank before it: the widest that the numbers' format can be,
    /// and one.
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

    /// Numbers of a row, at most.
    fn numbers(&self) -> usize {
        self.facts.iter().map(|fact| fact.cells.len()).max().unwrap_or(0).max(self.heads.len())
    }

    /// Columns that labels and numbers need.
    pub fn width(&self) -> u16 {
        self.label_width() + u16::try_from(self.numbers()).unwrap_or(0) * self.cell_width
    }

    /// Columns of a bar in a panel of this width; 0 where there is no room.
    fn bar_width(&self, width: u16) -> u16 {
        match width.saturating_sub(self.width() + 3) {
            0..4 => 0,
            room => room.min(30),
        }
    }

    fn row(&self, fact: &Fact, bar_width: u16, theme: &Theme) -> TableRow<'static> {
        let mut row = vec![cell(fact.label, theme.label)];
        row.extend(fact.cells.iter().map(|(text, style)| cell(text.clone(), *style)));
        // The bar stands behind the numbers, also where this row has fewer of them.
        row.resize(self.numbers() + 1, Line::default());
        let bar = fact.bar.map(|(part, whole)| chart::bar(part, whole, usize::from(bar_width)));
        row.push(cell(bar.unwrap_or_default(), theme.bar));
        row.into_iter().collect()
    }

    /// Draws the numbers close to their labels, in columns that stay where they are.
    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let theme = canvas.theme;
        let (heading, body) = split_top(area, 1);
        canvas.render(
            Heading { title: &self.title, remarks: &[&self.remark], style: theme.text, theme },
            heading,
        );
        let bar_width = self.bar_width(area.width);
        let mut columns = vec![Column::Blank(1), Column::Text(self.label_width() - 1)];
        columns.extend(std::iter::repeat_n(Column::Number(self.cell_width), self.numbers()));
        columns.extend([Column::Blank(2), Column::Text(bar_width)]);
        let rows = self.facts.iter().map(|fact| self.row(fact, bar_width, theme)).collect();
        let mut table = NumberTable::new(&columns, rows, theme);
        if !self.heads.is_empty() {
            let heads = std::iter::once("").chain(self.heads.iter().copied());
            table.heads = Some(heads.map(|head| cell(head, theme.label)).collect());
        }
        canvas.render(table, body);
    }
}

/// Panels beside each other, so that the numbers of each fit and rows are even.
fn columns(width: u16, panels: &[Panel]) -> usize {
    let needed = panels.iter().map(Panel::width).max().unwrap_or(0);
    // A blank between two panels.
    let most = usize::from((width + 1) / (needed + 1)).clamp(1, panels.len().max(1));
    panels.len().div_ceil(panels.len().div_ceil(most).max(1)).max(1)
}

/// Rows of panels that a [`PanelGrid`] needs for all of them.
pub fn rows(width: u16, panels: &[Panel]) -> u16 {
    u16::try_from(panels.len().div_ceil(columns(width, panels))).unwrap_or(u16::MAX)
}

/// Panels in equal cells, as many beside each other as are readable, as far as the area reaches.
pub struct PanelGrid<'a> {
    /// The panels.
    pub panels: &'a [Panel],
    /// Rows of each.
    pub panel_height: u16,
    /// Styles of the screen.
    pub theme: &'a Theme,
}

impl<'a> PanelGrid<'a> {
    /// A single panel as large as the area.
    pub fn of_one(panel: &'a Panel, theme: &'a Theme) -> Self {
        Self { panels: std::slice::from_ref(panel), panel_height: u16::MAX, theme }
    }
}

impl StatefulWidget for PanelGrid<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let columns = columns(area.width, self.panels);
        let mut rest = area;
        for panels in self.panels.chunks(columns) {
            let (row, below) = split_top(rest, self.panel_height);
            if row.is_empty() {
                return;
            }
            for (cell, panel) in equal_columns_to_the_edge(row, columns).into_iter().zip(panels) {
                panel.draw(&mut canvas, cell);
            }
            rest = below;
        }
    }
}

/// Labelled numbers in lines, each number five columns wide so that the next label stays where it
/// is. What does not fit into a line goes into the next one.
///
/// Placed by hand, because a ratatui `Layout` does not wrap.
pub struct FieldLines<'a> {
    /// Label and number of each field.
    pub fields: &'a [(&'a str, Cell)],
    /// Styles of the screen.
    pub theme: &'a Theme,
}

impl FieldLines<'_> {
    /// Lines needed at this width.
    pub fn height(&self, width: u16) -> u16 {
        places(width, self.fields).last().map_or(0, |(row, _)| row + 1)
    }
}

impl StatefulWidget for FieldLines<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let places = places(area.width, self.fields);
        for ((row, column), (label, (value, style))) in places.into_iter().zip(self.fields) {
            canvas.whole(area, row, column, label, self.theme.label);
            canvas.right(area, row, column + field_width(label), value, *style);
        }
    }
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
