//! The row of numbers that decide whether to look further: each over the last seconds, over the
//! window, and as a chart.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    widgets::StatefulWidget,
};
use unicode_width::UnicodeWidthStr;

use super::{
    bigtext::{self, BigNumber},
    canvas::Canvas,
    chart::ColumnChart,
    grid::{equal_columns, split_left},
};
use crate::{app::Regions, theme::Theme};

/// A number with its unit, as [`crate::format`] writes it, and its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The text.
    pub text: String,
    /// Its style.
    pub style: Style,
}

/// One figure of a tile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figure {
    /// `in` or `out` where a tile has both.
    pub name: &'static str,
    /// Over the last seconds.
    pub now: Reading,
    /// Over the window.
    pub window: Reading,
}

/// One figure, or that of both directions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tile {
    /// What it is, the longest text first.
    pub labels: [&'static str; 2],
    /// The figures, at most two.
    pub figures: Vec<Figure>,
    /// The seconds before, the newest first; empty where there are none.
    pub past: Vec<Option<u64>>,
}

/// Chooses one of the readings of a figure.
type ReadingOf = fn(&Figure) -> &Reading;

/// Tiles beside each other in equal cells. Those at the end are left out where a label or a number
/// would be cut. Numbers are big if there is room.
pub struct TileStrip<'a> {
    /// The tiles, the most important first.
    pub tiles: &'a [Tile],
    /// The name of the last seconds: `10s`. Empty where only windows are shown.
    pub now: &'a str,
    /// The name of the window: `5m`. Empty if it is not shown.
    pub window: &'a str,
    /// Styles of the screen.
    pub theme: &'a Theme,
}

/// Rows of the strip with small and with big numbers: label, numbers, window, chart.
pub const SMALL: u16 = 4;
/// See [`SMALL`].
pub const BIG: u16 = 6;
/// Columns of the names of the spans, left of small numbers.
const GUTTER: u16 = 4;
/// Columns of a number that stands before another one: the widest that [`crate::format`] writes,
/// and a blank.
const FIGURE_WIDTH: u16 = 7;
/// A number that grows does not change how the others are drawn.
const BIG_WIDTH_MIN: u16 = 19;

impl Tile {
    /// A tile of one figure.
    pub fn of_one(label: &'static str, now: Reading, window: Reading, past: Vec<Option<u64>>) -> Self {
        Self { labels: [label; 2], figures: vec![Figure { name: "", now, window }], past }
    }

    /// Columns that its numbers need beside each other.
    fn numbers_width(&self) -> u16 {
        let others = u16::try_from(self.figures.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let last = self.figures.last().map_or(0, |it| it.now.text.width().max(it.window.text.width()));
        (FIGURE_WIDTH * others).saturating_add(u16::try_from(last).unwrap_or(u16::MAX))
    }

    /// Columns that it needs with small numbers.
    fn width(&self) -> u16 {
        let label = self.labels[1].width();
        self.numbers_width().max(u16::try_from(label).unwrap_or(u16::MAX))
    }

    /// Columns of its first number drawn big, with its unit.
    fn big_width(&self, number: impl Fn(&Figure) -> &Reading) -> u16 {
        let text = self.figures.first().map_or("", |figure| number(figure).text.as_str());
        let (digits, unit) = bigtext::split_unit(text);
        bigtext::width(digits).saturating_add(u16::try_from(unit.width()).unwrap_or(u16::MAX))
    }
}

impl TileStrip<'_> {
    fn has_now(&self) -> bool {
        !self.now.is_empty()
    }

    /// The number of a figure that is drawn large.
    fn large<'a>(&self, figure: &'a Figure) -> &'a Reading {
        if self.has_now() { &figure.now } else { &figure.window }
    }

    /// How many of the tiles fit beside each other.
    fn readable(&self, width: u16) -> usize {
        let fits = |count: &usize| {
            let needed = self.tiles.iter().take(*count).map(Tile::width).max().unwrap_or(0);
            usize::from(needed) < usize::from(width) / count
        };
        (1..=self.tiles.len()).rev().find(fits).unwrap_or(1)
    }

    /// The rows of small numbers: the name of the span, and the number of a figure.
    fn rows(&self) -> Vec<(&str, ReadingOf)> {
        let now = (self.now, (|figure| &figure.now) as ReadingOf);
        let window = (self.window, (|figure| &figure.window) as ReadingOf);
        [now, window].into_iter().filter(|(name, _)| !name.is_empty()).collect()
    }

    fn draw_small(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let (gutter, area) = split_left(area, GUTTER);
        let rows = self.rows();
        for (row, (name, _)) in (1..).zip(&rows) {
            canvas.whole(gutter, row, 0, name, self.theme.label);
        }
        let tiles = self.tiles.get(..self.readable(area.width)).unwrap_or_default();
        for (cell, tile) in equal_columns(area, tiles.len()).into_iter().zip(tiles) {
            self.draw_label(canvas, cell, tile);
            for (row, (_, number)) in (1..).zip(&rows) {
                for (index, figure) in (0u16..).zip(&tile.figures) {
                    let Reading { text, style } = number(figure);
                    canvas.whole(cell, row, index * FIGURE_WIDTH, text, *style);
                }
            }
            let below = u16::try_from(rows.len() + 1).unwrap_or(u16::MAX);
            self.draw_past(canvas, rows_of(cell, below, 1), tile);
        }
    }

    fn draw_big(&self, canvas: &mut Canvas<'_>, area: Rect) {
        for (cell, tile) in equal_columns(area, self.tiles.len()).into_iter().zip(self.tiles) {
            self.draw_label(canvas, cell, tile);
            if self.label_of(cell, tile).width() + 2 + self.now.width() <= usize::from(cell.width) {
                canvas.right(cell, 0, cell.width, self.now, self.theme.label);
            }
            let Some(figure) = tile.figures.first() else { continue };
            let Reading { text, style } = self.large(figure);
            let (digits, unit) = bigtext::split_unit(text);
            let number = rows_of(cell, 1, bigtext::HEIGHT);
            canvas.render(BigNumber { number: digits, style: *style, theme: self.theme }, number);
            canvas.whole(number, 2, bigtext::width(digits), unit, *style);
            let below = rows_of(cell, 1 + bigtext::HEIGHT, 1);
            self.draw_others(canvas, below, tile);
            self.draw_past(canvas, rows_of(cell, 2 + bigtext::HEIGHT, 1), tile);
        }
    }

    /// The window of the big number, and the number of the other direction.
    fn draw_others(&self, canvas: &mut Canvas<'_>, area: Rect, tile: &Tile) {
        let mut column = 0;
        let mut put = |name: &str, reading: &Reading| {
            canvas.whole(area, 0, column, name, self.theme.label);
            let at = column + u16::try_from(name.width() + 1).unwrap_or(u16::MAX);
            canvas.whole(area, 0, at, &reading.text, reading.style);
            column = at.saturating_add(FIGURE_WIDTH + 1);
        };
        if let Some(first) = tile.figures.first().filter(|_| self.has_now() && !self.window.is_empty()) {
            put(self.window, &first.window);
        }
        for other in tile.figures.iter().skip(1) {
            put(other.name, self.large(other));
        }
    }

    fn draw_label(&self, canvas: &mut Canvas<'_>, cell: Rect, tile: &Tile) {
        canvas.text(cell, 0, self.label_of(cell, tile), self.theme.label);
    }

    fn label_of(&self, cell: Rect, tile: &Tile) -> &'static str {
        let fits = |label: &&&str| label.width() <= usize::from(cell.width);
        tile.labels.iter().find(fits).unwrap_or(&tile.labels[1])
    }

    fn draw_past(&self, canvas: &mut Canvas<'_>, area: Rect, tile: &Tile) {
        if !area.is_empty() && !tile.past.is_empty() {
            canvas.render(ColumnChart::new(tile.past.iter().copied(), area.width, self.theme), area);
        }
    }
}

impl StatefulWidget for TileStrip<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let count = u16::try_from(self.tiles.len()).unwrap_or(u16::MAX).max(1);
        let cell_width = (area.width / count).saturating_sub(1);
        let is_readable = |tile: &Tile| {
            let number = tile.big_width(|figure| self.large(figure)).max(BIG_WIDTH_MIN);
            number.max(tile.width()) <= cell_width
        };
        if area.height >= BIG && self.tiles.iter().all(is_readable) {
            self.draw_big(&mut canvas, area);
        } else {
            self.draw_small(&mut canvas, area);
        }
    }
}

/// `height` rows of an area from row `top` on, as far as it reaches.
fn rows_of(area: Rect, top: u16, height: u16) -> Rect {
    area.layout::<3>(&Layout::vertical([
        Constraint::Length(top),
        Constraint::Length(height),
        Constraint::Fill(1),
    ]))[1]
}
