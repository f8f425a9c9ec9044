//! Digits three rows high: the number that can be read from across the room.
//!
//! Drawn by hand, because ratatui has no widget for large text.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::StatefulWidget};

use super::canvas::Canvas;
use crate::{app::Regions, theme::Theme};

/// Rows of a big number.
pub const HEIGHT: u16 = 3;

/// A glyph of five rows of pixels, each a bit mask of `width` columns, drawn two rows to a cell
/// with half blocks.
struct Glyph {
    width: u16,
    rows: [u8; 5],
}

fn glyph(character: char) -> Option<Glyph> {
    let (width, rows) = match character {
        '0' => (3, [0b111, 0b101, 0b101, 0b101, 0b111]),
        '1' => (3, [0b010, 0b110, 0b010, 0b010, 0b111]),
        '2' => (3, [0b111, 0b001, 0b111, 0b100, 0b111]),
        '3' => (3, [0b111, 0b001, 0b111, 0b001, 0b111]),
        '4' => (3, [0b101, 0b101, 0b111, 0b001, 0b001]),
        '5' => (3, [0b111, 0b100, 0b111, 0b001, 0b111]),
        '6' => (3, [0b111, 0b100, 0b111, 0b101, 0b111]),
        '7' => (3, [0b111, 0b001, 0b001, 0b001, 0b001]),
        '8' => (3, [0b111, 0b101, 0b111, 0b101, 0b111]),
        '9' => (3, [0b111, 0b101, 0b111, 0b001, 0b111]),
        '.' => (1, [0, 0, 0, 0, 1]),
        '–' => (3, [0, 0, 0b111, 0, 0]),
        '<' => (3, [0b001, 0b010, 0b100, 0b010, 0b001]),
        _ => return None,
    };
    Some(Glyph { width, rows })
}

/// Splits a formatted number into digits, which can be drawn big, and unit: `12.3ms` is `12.3` and
/// `ms`.
pub fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character| glyph(character).is_none()).unwrap_or(text.len()))
}

/// Columns that a number takes, with a blank column after each glyph.
pub fn width(number: &str) -> u16 {
    number.chars().filter_map(glyph).map(|glyph| glyph.width + 1).sum()
}

/// The character of a cell with these pixels.
fn half_blocks(upper: bool, lower: bool) -> char {
    match (upper, lower) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

impl Glyph {
    fn is_lit(&self, column: u16, pixel_row: u16) -> bool {
        let mask = self.rows.get(usize::from(pixel_row)).copied().unwrap_or(0);
        mask >> (self.width - 1 - column) & 1 == 1
    }

    /// A row of cells, each of which shows two rows of pixels.
    fn cells(&self, cell_row: u16) -> String {
        let lit = |column, half| self.is_lit(column, cell_row * 2 + half);
        (0..self.width).map(|column| half_blocks(lit(column, 0), lit(column, 1))).collect()
    }
}

/// A big number.
pub struct BigNumber<'a> {
    /// The number without its unit.
    pub number: &'a str,
    /// Its style.
    pub style: Style,
    /// Styles of the screen.
    pub theme: &'a Theme,
}

impl StatefulWidget for BigNumber<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let mut column = 0;
        for glyph in self.number.chars().filter_map(glyph) {
            for row in 0..HEIGHT {
                canvas.put(area, row, column, &glyph.cells(row), self.style);
            }
            column += glyph.width + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_stays_small() {
        assert_eq!(split_unit("12.3ms"), ("12.3", "ms"));
        assert_eq!(split_unit("<0.1%"), ("<0.1", "%"));
        assert_eq!(split_unit("9999"), ("9999", ""));
        assert_eq!(split_unit("–"), ("–", ""));
    }

    #[test]
    fn every_formatted_number_fits_into_a_cell_of_24_columns() {
        for text in ["9999", "99.9k", "<0.1%", "99.9%", "99.9ms"] {
            let (number, unit) = split_unit(text);
            assert!(usize::from(width(number)) + unit.chars().count() <= 19, "{text}");
        }
    }
}
