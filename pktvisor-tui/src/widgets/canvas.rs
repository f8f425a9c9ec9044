//! The drawing surface of pages and widgets: the buffer, the theme, and the record of where
//! everything is drawn.
//!
//! Text is put here cell by cell, and not by a `Paragraph`, because it must end in `…` where it is
//! cut, a number must be left out rather than cut, and the layout tests need the place of every
//! text. Scrolling is done here, because ratatui has no widget that scrolls other widgets.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::Line,
    widgets::StatefulWidget,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    app::{Drawn, Hit, Regions},
    model::{KeptEnd, fit},
    theme::Theme,
};

/// A buffer to draw into.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    /// Styles by meaning.
    pub theme: &'a Theme,
    /// What is drawn where.
    pub regions: &'a mut Regions,
}

impl<'a> Canvas<'a> {
    /// A canvas on a buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, regions: &'a mut Regions) -> Self {
        Self { buffer, theme, regions }
    }

    /// Renders a widget, which records in [`Regions`] what it draws.
    pub fn render(&mut self, widget: impl StatefulWidget<State = Regions>, area: Rect) {
        widget.render(area, self.buffer, self.regions);
    }

    /// The buffer, for widgets of ratatui.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }

    /// Records the target of clicks into an area.
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
        let text = fit(text, width, KeptEnd::Head);
        self.record_text(area.x + column, area.y + row, &text);
        self.write(area.x + column, area.y + row, &text, width, style);
    }

    /// Text from column `column` of `area` on; nothing if it does not fit. A number that lost a
    /// digit is a wrong number.
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

    /// A line of several styles from column `column` of `area` on, cut to the width that is left.
    pub fn line(&mut self, area: Rect, row: u16, column: u16, line: &Line<'_>) {
        let mut column = column;
        for span in line {
            self.put(area, row, column, &span.content, span.style);
            column = column.saturating_add(u16::try_from(span.width()).unwrap_or(u16::MAX));
        }
    }

    fn write(&mut self, x: u16, y: u16, text: &str, width: usize, style: Style) {
        // What was there before must not shine through: a title stands on a dim rule.
        let style = Style::reset().patch(style);
        self.buffer.set_stringn(x, y, text, width, style);
    }

    /// Records a text, which a widget of ratatui draws.
    pub fn record_text(&mut self, x: u16, y: u16, text: &str) {
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

    /// Draws `height` rows on a page of their own and shows those from `first` on, as many as
    /// `area` has.
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
        let mut regions = Regions::default();
        draw(&mut Canvas::new(&mut buffer, self.theme, &mut regions), page);
        let drawn = regions.drawn;
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
