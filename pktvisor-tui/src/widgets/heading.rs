//! The title of a panel or a list on a rule: ratatui's `Block` with a border at its top.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Borders, StatefulWidget, Widget},
};
use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use crate::{
    app::Regions,
    model::{KeptEnd, fit},
    theme::Theme,
};

/// A title with a rule behind it.
pub struct Heading<'a> {
    /// The title.
    pub title: &'a str,
    /// Remarks for the right end, the longest first: the first one that fits is shown.
    pub remarks: &'a [&'a str],
    /// Style of the title.
    pub style: Style,
    /// Styles of the rest.
    pub theme: &'a Theme,
}

impl Heading<'_> {
    fn remark(&self, width: u16) -> Option<String> {
        let free = usize::from(width).saturating_sub(self.title.width() + 5);
        let fits = |remark: &&&str| !remark.is_empty() && remark.width() + 2 <= free;
        self.remarks.iter().find(fits).map(|remark| format!(" {remark} "))
    }
}

impl StatefulWidget for Heading<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let rule = self.theme.label;
        // The rule must not shine through the text on it.
        let on_rule = |style: Style| Style::reset().patch(style);
        let title = format!(" {} ", self.title);
        let title = fit(&title, usize::from(area.width.saturating_sub(1)), KeptEnd::Head);
        let remark = self.remark(area.width);
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        if !area.intersection(canvas.buffer().area).is_empty() {
            canvas.record_text(area.x + 1, area.y, &title);
            if let Some(remark) = &remark {
                let width = u16::try_from(remark.width() + 1).unwrap_or(u16::MAX);
                canvas.record_text(area.right().saturating_sub(width), area.y, remark);
            }
        }
        let end = Span::styled("─", rule);
        let title = Line::from(vec![end.clone(), Span::styled(title, on_rule(self.style))]);
        let mut block = Block::new().borders(Borders::TOP).border_style(rule).title(title);
        if let Some(remark) = remark {
            block = block.title(Line::from(vec![Span::styled(remark, on_rule(rule)), end]).right_aligned());
        }
        block.render(area, canvas.buffer());
    }
}
