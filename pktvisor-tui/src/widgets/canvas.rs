//! Where widgets draw: the buffer, the theme, and the places that a mouse can hit.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    app::{Drawn, Hit, Regions},
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

    /// Text from column `column` of `area` on, cut to the width that is left.
    pub fn put(&mut self, area: Rect, row: u16, column: u16, text: &str, style: Style) {
        let area = area.intersection(self.buffer.area);
        if row >= area.height || column >= area.width {
            return;
        }
        let width = usize::from(area.width - column);
        let text = fit(text, width, Keep::Head);
        self.record_text(area.x + column, area.y + row, &text);
        self.write(area.x + column, area.y + row, &text, width, style);
    }

    /// Text from column `column` of `area` on; nothing if it does not fit. A number that lost a digit is a wrong
    /// number.
    pub fn whole(&mut self, area: Rect, row: u16, column: u16, text: &str, style: Style) {
        if usize::from(column) + text.width() <= usize::from(area.width) {
            self.put(area, row, column, text, style);
        }
    }

    /// Text that ends at column `end` (exclusive) of `area`; nothing if it does not fit.
    pub fn right(&mut self, area: Rect, row: u16, end: u16, text: &str, style: Style) {
        if end <= area.width
            && let Some(column) = u16::try_from(text.width()).ok().and_then(|width| end.checked_sub(width))
        {
            self.put(area, row, column, text, style);
        }
    }

    fn write(&mut self, x: u16, y: u16, text: &str, width: usize, style: Style) {
        // What was there before must not shine through: a title stands on a dim rule.
        let style = Style::reset().patch(style);
        self.buffer.set_stringn(x, y, text, width, style);
    }

    fn record_text(&mut self, x: u16, y: u16, text: &str) {
        if !cfg!(debug_assertions) {
            return;
        }
        let trimmed = text.trim();
        let blanks = text.len() - text.trim_start().len();
        if let (Ok(blanks), Ok(width)) = (u16::try_from(blanks), u16::try_from(trimmed.width()))
            && width > 0
        {
            let area = Rect { x: x + blanks, y, width, height: 1 };
            self.regions.drawn.push(Drawn { area, text: trimmed.to_owned() });
        }
    }

    /// Records a chart, which a widget of ratatui draws.
    pub fn record_chart(&mut self, area: Rect) {
        if cfg!(debug_assertions) && !area.is_empty() {
            self.regions.drawn.push(Drawn { area, text: String::new() });
        }
    }

    /// Adds a style to an area as it is.
    pub fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// A title with a rule behind it, and at its right end the first of the remarks that fits.
    pub fn title(&mut self, area: Rect, title: &str, remarks: &[&str], style: Style) {
        let width = usize::from(area.width);
        let visible = area.intersection(self.buffer.area);
        if visible.is_empty() {
            return;
        }
        self.write(visible.x, visible.y, &"─".repeat(width), usize::from(visible.width), self.theme.label);
        self.put(area, 0, 1, &format!(" {title} "), style);
        let free = width.saturating_sub(title.width() + 5);
        let fits = |remark: &&&str| !remark.is_empty() && remark.width() + 2 <= free;
        if let Some(remark) = remarks.iter().find(fits) {
            self.right(area, 0, area.width.saturating_sub(1), &format!(" {remark} "), self.theme.label);
        }
    }

    /// Draws `height` rows on a page of their own and shows those from `first` on, as many as `area` has.
    pub fn scrolled(
        &mut self,
        area: Rect,
        height: u16,
        first: u16,
        draw: impl FnOnce(&mut Canvas<'_>, Rect),
    ) {
        let page = Rect { x: 0, y: 0, width: area.width, height: height.max(area.height) };
        let last_first = page.height - area.height;
        let first = first.min(last_first);
        let mut buffer = Buffer::empty(page);
        let mut canvas = Canvas::new(&mut buffer, self.theme);
        draw(&mut canvas, page);
        let drawn = canvas.regions.drawn;
        for row in 0..area.height {
            for column in 0..area.width {
                let from = Position::new(column, first + row);
                let to = Position::new(area.x + column, area.y + row);
                if let (Some(from), Some(to)) = (buffer.cell(from), self.buffer.cell_mut(to)) {
                    *to = from.clone();
                }
            }
        }
        let visible = drawn.into_iter().filter(|drawn| (first..first + area.height).contains(&drawn.area.y));
        self.regions.drawn.extend(visible.map(|drawn| {
            let place = Rect { x: area.x + drawn.area.x, y: area.y + drawn.area.y - first, ..drawn.area };
            Drawn { area: place, ..drawn }
        }));
        self.regions.scroll_max = Some(last_first);
    }
}
