//! What the agent is looked into for: the line on top of every page, and why there is nothing.

use ratatui::layout::Rect;

use crate::{
    app::{Page, UiState},
    model::{FocusModel, KeptEnd, Printable, fit},
    widgets::{Canvas, notice::Notice},
};

/// Rows of the line on top of a page.
pub(super) fn line_height(app: &UiState) -> u16 {
    u16::from(app.focus_model().is_some() && app.page != Page::Fleet)
}

/// The filter, and the way out.
pub(super) fn draw_line(canvas: &mut Canvas<'_>, area: Rect, focus: &FocusModel) {
    let theme = canvas.theme;
    let hint = "Esc leaves";
    let width = usize::from(area.width);
    let room = width.saturating_sub(hint.len() + 4);
    let filter = Printable::new(&format!("◎ only {}", focus.filter));
    canvas.put(area, 0, 1, &fit(filter.as_str(), room, KeptEnd::Head), theme.accent);
    canvas.right(area, 0, area.width.saturating_sub(1), hint, theme.label);
}

/// Why the agent does not look into it.
pub(super) fn draw_refusal(canvas: &mut Canvas<'_>, area: Rect, error: &Printable) {
    let theme = canvas.theme;
    let lines = [
        ("Nothing can be shown of it alone".to_owned(), theme.bad),
        (error.as_str().to_owned(), theme.text),
        (String::new(), theme.text),
        ("Esc leaves.".to_owned(), theme.label),
    ];
    canvas.render(Notice { lines: &lines, theme }, area);
}
