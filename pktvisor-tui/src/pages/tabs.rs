//! The tabs above every page, in the longest way that fits.

use ratatui::{
    layout::{Constraint, Layout, Rect},
    text::Span,
    widgets::{Tabs, Widget},
};
use unicode_width::UnicodeWidthStr;

use crate::{
    app::{Hit, Page},
    widgets::Canvas,
};

/// How tabs are written, the longest way first.
#[derive(Clone, Copy)]
enum TabStyle {
    /// Number and name, with these blanks between two, and with the program's name before them.
    Numbered { gap: &'static str, with_program: bool },
    /// Names alone.
    Named,
    /// Numbers, and only the current page by name as well.
    Numbers,
}

impl TabStyle {
    const ALL: [Self; 5] = [
        Self::Numbered { gap: "  ", with_program: true },
        Self::Numbered { gap: "  ", with_program: false },
        Self::Numbered { gap: " ", with_program: false },
        Self::Named,
        Self::Numbers,
    ];

    fn gap(self) -> &'static str {
        if let Self::Numbered { gap, .. } = self { gap } else { "  " }
    }

    fn program(self) -> &'static str {
        if let Self::Numbered { with_program: true, .. } = self { "pktvisor  " } else { "" }
    }

    fn label(self, number: usize, page: Page, current: Page) -> String {
        match self {
            Self::Named => page.name().to_owned(),
            Self::Numbers if page != current => number.to_string(),
            Self::Numbered { .. } | Self::Numbers => format!("{number} {}", page.name()),
        }
    }

    /// Columns of all tabs.
    fn width(self, current: Page) -> usize {
        let labels = (1..).zip(Page::ALL).map(|(number, page)| self.label(number, page, current).width());
        1 + self.program().width() + labels.sum::<usize>() + self.gap().len() * (Page::ALL.len() - 1)
    }
}

/// Draws the tabs, as many as fit whole.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, current: Page) {
    let theme = canvas.theme;
    let fits = |style: &TabStyle| style.width(current) <= usize::from(area.width);
    let style = TabStyle::ALL.into_iter().find(fits).unwrap_or(TabStyle::Numbers);
    let program_width = u16::try_from(style.program().width()).unwrap_or(0);
    let columns = [Constraint::Length(1), Constraint::Length(program_width), Constraint::Fill(1)];
    let [_, program, mut place] = area.layout(&Layout::horizontal(columns));
    canvas.text(program, 0, style.program().trim_end(), theme.value);
    let tabs_area = place;
    let mut tabs = Vec::new();
    for (number, page) in (1..).zip(Page::ALL) {
        let label = style.label(number, page, current);
        let width = u16::try_from(label.width()).unwrap_or(u16::MAX);
        if width > place.width {
            break;
        }
        canvas.record_text(place.x, place.y, &label);
        canvas.hit(Rect { width, ..place }, Hit::Page(page));
        tabs.push(Span::styled(label, if page == current { theme.accent } else { theme.label }));
        let taken = width + u16::try_from(style.gap().len()).unwrap_or(2);
        [_, place] = place.layout(&Layout::horizontal([Constraint::Length(taken), Constraint::Fill(1)]));
    }
    let tabs = Tabs::new(tabs).select(None).padding("", "").divider(style.gap());
    Widget::render(tabs, tabs_area, canvas.buffer());
}
