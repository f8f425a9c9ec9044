//! Columns of equal width, by ratatui's `Layout`.

use ratatui::layout::{Constraint, Layout, Rect};

/// `count` columns of equal width with a blank behind each. Columns that do not divide evenly are
/// left at the right.
pub fn equal_columns(area: Rect, count: usize) -> Vec<Rect> {
    let Some(width) = u16::try_from(count).ok().and_then(|count| area.width.checked_div(count)) else {
        return Vec::new();
    };
    let widths = std::iter::repeat_n(Constraint::Length(width.saturating_sub(1)), count);
    Layout::horizontal(widths).spacing(1).split(area).to_vec()
}

/// As [`equal_columns`], without a blank behind the last one.
pub fn equal_columns_to_the_edge(area: Rect, count: usize) -> Vec<Rect> {
    let mut columns = equal_columns(area, count);
    if let Some(last) = columns.last_mut() {
        last.width = last.width.saturating_add(1).min(area.width);
    }
    columns
}

/// Splits rows off the top of an area.
pub fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    area.layout::<2>(&Layout::vertical([Constraint::Length(height), Constraint::Fill(1)])).into()
}

/// Splits columns off the left of an area.
pub fn split_left(area: Rect, width: u16) -> (Rect, Rect) {
    area.layout::<2>(&Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)])).into()
}
