//! The row of numbers that decide whether to look further, each with its past.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    widgets::StatefulWidget,
};
use unicode_width::UnicodeWidthStr;

use super::{
    bigtext::{self, BigNumber},
    canvas::Canvas,
    chart::ColumnChart,
    grid::equal_columns,
};
use crate::{app::Regions, theme::Theme};

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

/// Numbers side by side in equal cells: label, number, past. Numbers are big when there are rows
/// and columns for it. Those at the end are left out where a label or a number would be cut.
pub struct KpiStrip<'a> {
    /// The numbers, the most important first.
    pub kpis: &'a [Kpi],
    /// Styles of the screen.
    pub theme: &'a Theme,
}

impl StatefulWidget for KpiStrip<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let kpis = self.kpis.get(..readable(area.width, self.kpis)).unwrap_or_default();
        let cells = equal_columns(area, kpis.len());
        let is_readable = |kpi: &Kpi| cells.first().is_some_and(|cell| big_width(kpi) <= cell.width);
        let size = if area.height >= BIG && kpis.iter().all(is_readable) {
            NumberSize::Big
        } else {
            NumberSize::Small
        };
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        for (cell, kpi) in cells.iter().zip(kpis) {
            draw(&mut canvas, *cell, kpi, size);
        }
    }
}

/// How large numbers are drawn.
#[derive(Clone, Copy)]
enum NumberSize {
    Small,
    Big,
}

fn draw(canvas: &mut Canvas<'_>, area: Rect, kpi: &Kpi, size: NumberSize) {
    let number_height = match size {
        NumberSize::Small => 1,
        NumberSize::Big => bigtext::HEIGHT,
    };
    let rows = [Constraint::Length(1), Constraint::Length(number_height), Constraint::Fill(1)];
    let [label, number, past] = area.layout(&Layout::vertical(rows));
    canvas.text(label, 0, &kpi.label, canvas.theme.label);
    match size {
        NumberSize::Small => canvas.whole(number, 0, 0, &kpi.value, kpi.style),
        NumberSize::Big => {
            let (digits, unit) = bigtext::split_unit(&kpi.value);
            canvas.render(BigNumber { number: digits, style: kpi.style, theme: canvas.theme }, number);
            canvas.whole(number, 2, bigtext::width(digits), unit, kpi.style);
        }
    }
    if !past.is_empty() && !kpi.past.is_empty() {
        canvas.render(ColumnChart::new(kpi.past.iter().copied(), past.width, canvas.theme), past);
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

/// Columns of a number drawn big, its unit included; as wide as the widest at least, so that a
/// number that grows does not change how the others are drawn.
fn big_width(kpi: &Kpi) -> u16 {
    const WIDEST: u16 = 19;
    let (digits, unit) = bigtext::split_unit(&kpi.value);
    bigtext::width(digits).saturating_add(u16::try_from(unit.width()).unwrap_or(u16::MAX)).max(WIDEST)
}
