//! Digits three rows high: the number that can be read from across the room.

use ratatui::{layout::Rect, style::Style};

use super::Canvas;

/// Rows of a big number.
pub const HEIGHT: u16 = 3;

/// A glyph of five rows of pixels, each a bit mask of `width` columns, drawn two rows to a cell with half blocks.
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

/// Splits a formatted number into what can be drawn big and the unit behind it: `12.3ms` is `12.3` and `ms`.
pub fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character| glyph(character).is_none()).unwrap_or(text.len()))
}

/// Columns that a number takes, with a blank column after each glyph.
pub fn width(number: &str) -> u16 {
    number.chars().filter_map(glyph).map(|glyph| glyph.width + 1).sum()
}

/// Draws a number; returns the columns used.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, number: &str, style: Style) -> u16 {
    let mut column = 0;
    for glyph in number.chars().filter_map(glyph) {
        for cell_row in 0..HEIGHT {
            let text: String = (0..glyph.width)
                .map(|x| {
                    let lit = |pixel_row: u16| {
                        let mask = glyph.rows.get(usize::from(pixel_row)).copied().unwrap_or(0);
                        mask >> (glyph.width - 1 - x) & 1 == 1
                    };
                    match (lit(cell_row * 2), lit(cell_row * 2 + 1)) {
                        (true, true) => '█',
                        (true, false) => '▀',
                        (false, true) => '▄',
                        (false, false) => ' ',
                    }
                })
                .collect();
            canvas.put(area, cell_row, column, &text, style);
        }
        column += glyph.width + 1;
    }
    column
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
