//! The row of numbers that decide whether to look further, each with its past.

use ratatui::{layout::Rect, style::Style};

use super::{Canvas, bigtext, chart};

/// One number.
pub struct Kpi {
    /// What it is.
    pub label: String,
    /// The number with its unit, as [`crate::format`] writes it.
    pub value: String,
    /// Its state.
    pub style: Style,
    /// The seconds before, the newest first; empty where there are none.
    pub past: Vec<Option<u64>>,
}

/// Rows of the strip with small and with big numbers.
pub const SMALL: u16 = 3;
/// See [`SMALL`].
pub const BIG: u16 = 5;

/// Draws them side by side in equal cells: label, number, past. Numbers are big when there are rows and columns for it.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, kpis: &[Kpi]) {
    let Some(cell_width) = u16::try_from(kpis.len()).ok().and_then(|count| area.width.checked_div(count))
    else {
        return;
    };
    let big = area.height >= BIG && cell_width >= 20;
    for (index, kpi) in (0u16..).zip(kpis) {
        let cell = Rect { x: area.x + index * cell_width, width: cell_width.saturating_sub(1), ..area };
        canvas.text(cell, 0, &kpi.label, canvas.theme.label);
        let number = Rect { y: cell.y + 1, height: cell.height.saturating_sub(1), ..cell };
        let rows = if big {
            let (digits, unit) = bigtext::split_unit(&kpi.value);
            let used = bigtext::draw(canvas, number, digits, kpi.style);
            canvas.put(number, 2, used, unit, kpi.style);
            bigtext::HEIGHT
        } else {
            canvas.text(number, 0, &kpi.value, kpi.style);
            1
        };
        if cell.height > rows + 1 && !kpi.past.is_empty() {
            let past = Rect { y: number.y + rows, height: cell.height - rows - 1, ..cell };
            let style = canvas.theme.bar;
            chart::columns(canvas, past, kpi.past.iter().copied(), style);
        }
    }
}
