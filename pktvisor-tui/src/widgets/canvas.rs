//! Where widgets draw: the buffer, the theme, and the places that a mouse can hit.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};
use unicode_width::UnicodeWidthStr;

use crate::{
    app::{Hit, Regions},
    model::{Keep, fit},
    theme::Theme,
};

/// A buffer to draw into.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// Styles by meaning.
    pub theme: &'a Theme,
    /// What was drawn where.
    pub regions: Regions,
}

impl<'a> Canvas<'a> {
    /// A canvas on a buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme, regions: Regions::default() }
    }

    /// The buffer, for widgets of ratatui.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }

    /// Remembers what is in an area.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.regions.add(area, hit);
    }

    /// Text at the left of `area`'s row `row`, cut to its width. Rows outside are not drawn.
    pub fn text(&mut self, area: Rect, row: u16, text: &str, style: Style) {
        self.put(area, row, 0, text, style);
    }

    /// Text from column `column` of `area` on.
    pub fn put(&mut self, area: Rect, row: u16, column: u16, text: &str, style: Style) {
        let area = area.intersection(self.buffer.area);
        if row >= area.height || column >= area.width {
            return;
        }
        let width = usize::from(area.width - column);
        // What was there before must not shine through: a title stands on a dim rule.
        let style = Style::reset().patch(style);
        self.buffer.set_stringn(area.x + column, area.y + row, fit(text, width, Keep::Head), width, style);
    }

    /// Text that ends at column `end` (exclusive) of `area`.
    pub fn right(&mut self, area: Rect, row: u16, end: u16, text: &str, style: Style) {
        let end = end.min(area.width);
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(end);
        self.put(Rect { width: end, ..area }, row, end - width, text, style);
    }

    /// A styled line on a row.
    pub fn line(&mut self, area: Rect, row: u16, line: &Line<'_>) {
        let area = area.intersection(self.buffer.area);
        if row < area.height {
            self.buffer.set_line(area.x, area.y + row, line, area.width);
        }
    }

    /// Adds a style to an area as it is.
    pub fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// A title with a rule behind it, and a remark at its right end.
    pub fn title(&mut self, area: Rect, title: &str, remark: &str, style: Style) {
        let width = usize::from(area.width);
        let rule = "─".repeat(width);
        self.text(area, 0, &rule, self.theme.label);
        self.put(area, 0, 1, &format!(" {title} "), style);
        let free = width.saturating_sub(title.width() + 5);
        if !remark.is_empty() && remark.width() + 2 <= free {
            self.right(area, 0, area.width.saturating_sub(1), &format!(" {remark} "), self.theme.label);
        }
    }
}
