//! A figure over time: the newest value at the right, a column a second or a period. Charts are
//! ratatui's `Sparkline`.
//!
//! Bars are text of our own and not a `Gauge`, because they stand in the cells of a table.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{RenderDirection, Sparkline, StatefulWidget, Widget},
};

use super::canvas::Canvas;
use crate::{app::Regions, format::round_scale, theme::Theme};

/// Values as columns up to the area's height. Seconds without a value are blank, a dot in a chart
/// of one row.
pub struct ColumnChart<'a> {
    values: Vec<Option<u64>>,
    scale: u64,
    theme: &'a Theme,
}

impl<'a> ColumnChart<'a> {
    /// A chart of as many values, the newest first, as `width` columns have room for.
    pub fn new(newest_first: impl Iterator<Item = Option<u64>>, width: u16, theme: &'a Theme) -> Self {
        let values: Vec<Option<u64>> = newest_first.take(usize::from(width)).collect();
        let scale = round_scale(values.iter().flatten().copied().max().unwrap_or(0));
        Self { values, scale, theme }
    }

    /// The value at the top: a round number, so that a chart does not breathe with every value.
    pub fn scale(&self) -> u64 {
        self.scale
    }
}

impl StatefulWidget for ColumnChart<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        canvas.record_chart(area);
        // A chart shows eighths of a row. Smaller values would vanish; large ones overflow inside
        // the widget.
        let resolution = u64::from(area.height.max(1)) * 8;
        let eighths = |value: u64| {
            let eighths = (value as f64 / self.scale as f64 * resolution as f64).round() as u64;
            if value == 0 { 0 } else { eighths.clamp(1, resolution) }
        };
        let values = self.values.into_iter().map(|value| value.map(eighths));
        Sparkline::default()
            .data(values.collect::<Vec<_>>())
            .max(resolution)
            .direction(RenderDirection::RightToLeft)
            .style(self.theme.bar)
            .absent_value_symbol(if area.height == 1 { "·" } else { " " })
            .absent_value_style(self.theme.label)
            .render(area, canvas.buffer());
    }
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
