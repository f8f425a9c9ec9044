//! The row of numbers that decide whether to look further, each with its past.

use ratatui::{layout::Rect, style::Style};
use unicode_width::UnicodeWidthStr;

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
/// Those at the end are left out where a label or a number would be cut.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, kpis: &[Kpi]) {
    let kpis = kpis.get(..readable(area.width, kpis)).unwrap_or_default();
    let Some(cell_width) = u16::try_from(kpis.len()).ok().and_then(|count| area.width.checked_div(count))
    else {
        return;
    };
    let big = area.height >= BIG && kpis.iter().all(|kpi| big_width(kpi) < cell_width);
    for (index, kpi) in (0u16..).zip(kpis) {
        let cell = Rect { x: area.x + index * cell_width, width: cell_width.saturating_sub(1), ..area };
        canvas.text(cell, 0, &kpi.label, canvas.theme.label);
        let number = Rect { y: cell.y + 1, height: cell.height.saturating_sub(1), ..cell };
        let rows = if big {
            let (digits, unit) = bigtext::split_unit(&kpi.value);
            let used = bigtext::draw(canvas, number, digits, kpi.style);
            canvas.whole(number, 2, used, unit, kpi.style);
            bigtext::HEIGHT
        } else {
            canvas.whole(number, 0, 0, &kpi.value, kpi.style);
            1
        };
        if cell.height > rows + 1 && !kpi.past.is_empty() {
            let past = Rect { y: number.y + rows, height: cell.height - rows - 1, ..cell };
            let style = canvas.theme.bar;
            chart::columns(canvas, past, kpi.past.iter().copied(), style);
        }
    }
}

/// How many of them fit beside each other, each with its label, its number and a blank.
fn readable(width: u16, kpis: &[Kpi]) -> usize {
    let fits = |count: &usize| {
        let needed = kpis.iter().take(*count).map(|kpi| kpi.label.width().max(kpi.value.width()));
        needed.max().unwrap_or(0) < usize::from(width) / count
    };
    (1..=kpis.len()).rev().find(fits).unwrap_or(1)
}

/// Columns of a number drawn big, its unit included; as wide as the widest at least, so that a number that grows does
/// not change how the others are drawn.
fn big_width(kpi: &Kpi) -> u16 {
    const WIDEST: u16 = 19;
    let (digits, unit) = bigtext::split_unit(&kpi.value);
    bigtext::width(digits).saturating_add(u16::try_from(unit.width()).unwrap_or(u16::MAX)).max(WIDEST)
}
