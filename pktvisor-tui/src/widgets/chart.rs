//! A figure over time: the newest value at the right, a column a second or a period.

use ratatui::{
    layout::Rect,
    style::Style,
    widgets::{RenderDirection, Sparkline, Widget},
};

use super::Canvas;
use crate::format::round_scale;

/// Draws values, the newest first, as columns up to `area`'s height. Seconds without a value are blank, a dot in a
/// chart of one row.
/// The scale is a round number, so that a chart does not breathe with every value; it is returned.
pub fn columns(
    canvas: &mut Canvas<'_>,
    area: Rect,
    newest_first: impl Iterator<Item = Option<u64>>,
    style: Style,
) -> u64 {
    canvas.record_chart(area);
    let mut values: Vec<Option<u64>> = newest_first.take(usize::from(area.width)).collect();
    let scale = round_scale(values.iter().flatten().copied().max().unwrap_or(0));
    // Eighths of a row are what can be shown. Smaller values would vanish; and large ones overflow inside the widget.
    let resolution = u64::from(area.height.max(1)) * 8;
    for value in values.iter_mut().flatten().filter(|value| **value > 0) {
        let eighths = (*value as f64 / scale as f64 * resolution as f64).round() as u64;
        *value = eighths.clamp(1, resolution);
    }
    Sparkline::default()
        .data(values)
        .max(resolution)
        .direction(RenderDirection::RightToLeft)
        .style(style)
        .absent_value_symbol(if area.height == 1 { "·" } else { " " })
        .absent_value_style(canvas.theme.label)
        .render(area, canvas.buffer());
    scale
}

/// A horizontal bar in eighths of a column: `part` of `whole` over `width` columns.
pub fn bar(part: u64, whole: u64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if whole == 0 || part == 0 || width == 0 {
        return String::new();
    }
    let eighths = ((part.min(whole) as f64 / whole as f64) * (width * 8) as f64).round() as usize;
    let eighths = eighths.clamp(1, width * 8);
    "█".repeat(eighths / 8) + EIGHTHS.get(eighths % 8).unwrap_or(&"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_exact_to_an_eighth_and_never_hide_a_value() {
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(1, u64::MAX, 4), "▏");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(u64::MAX, u64::MAX, 4), "████");
        assert_eq!(bar(7, 3, 2), "██");
        assert_eq!(bar(7, 0, 2), "");
        assert_eq!(bar(1, 2, 0), "");
    }
}
