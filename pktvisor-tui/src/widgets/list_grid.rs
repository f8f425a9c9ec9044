//! Many lists at once: as many columns as are readable, all rows if they fit, else scrolled to the
//! focused one.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    widgets::StatefulWidget,
};

use super::{
    canvas::Canvas,
    grid::{equal_columns, equal_columns_to_the_edge},
    top_list::TopList,
};
use crate::{
    app::{Hit, Regions},
    model::{ListKind, Observation, Sorts},
    theme::Theme,
};

/// The lists of a page.
pub struct ListGrid<'a> {
    /// The lists, in order.
    pub kinds: &'a [ListKind],
    /// Where their rows are.
    pub observation: &'a Observation,
    /// Only names that contain this.
    pub filter: &'a str,
    /// Order of the rows of each list.
    pub sorts: &'a Sorts,
    /// The place of the focused list in `kinds`.
    pub focus: usize,
    /// Styles of the screen.
    pub theme: &'a Theme,
}

/// Narrower columns make names indistinguishable.
const CELL_WIDTH_MIN: u16 = 38;
/// A title and four names: fewer are not worth a title.
const CELL_HEIGHT_MIN: u16 = 5;
/// Unless one row of names less makes all lists visible at once.
const CELL_HEIGHT_TIGHT: u16 = 4;
/// A title, ten names and a blank.
const CELL_HEIGHT_MAX: u16 = 12;

/// Rows that the whole grid can use of an area.
pub fn height_max(width: u16, height: u16, lists: usize) -> u16 {
    full_height(lists, columns(width, height, lists))
}

fn full_height(lists: usize, columns: usize) -> u16 {
    u16::try_from(lists.div_ceil(columns.max(1))).unwrap_or(u16::MAX).saturating_mul(CELL_HEIGHT_MAX)
}

/// As few lists beside each other, and so as long names, as all rows of all lists allow; else as
/// many as are readable.
fn columns(width: u16, height: u16, lists: usize) -> usize {
    let most = usize::from(width / CELL_WIDTH_MIN).clamp(1, lists.max(1));
    (2..most).find(|columns| full_height(lists, *columns) <= height).unwrap_or(most)
}

impl ListGrid<'_> {
    /// The rows of lists to show in a grid of this height: down to the focused list, and never past
    /// the last row.
    fn visible_rows(&self, height: u16, columns: usize) -> Range<usize> {
        let rows = self.kinds.len().div_ceil(columns);
        let readable = usize::from(height / CELL_HEIGHT_MIN).max(1);
        let all_fit = usize::from(height / CELL_HEIGHT_TIGHT) >= rows;
        let count = if all_fit { rows } else { rows.min(readable) };
        let focused = self.focus / columns;
        let first = focused.saturating_sub(count - 1).min(rows - count);
        first..first + count
    }
}

impl StatefulWidget for ListGrid<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        if area.height < 2 || self.kinds.is_empty() {
            return;
        }
        let columns = columns(area.width, area.height, self.kinds.len());
        regions.columns = columns;
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let visible = self.visible_rows(area.height, columns);
        let heights = heights(area.height, visible.len()).into_iter().map(Constraint::Length);
        let rows = Layout::vertical(heights).split(area);
        for (row, area) in visible.zip(rows.iter()) {
            let cells =
                if columns > 1 { equal_columns(*area, columns) } else { equal_columns_to_the_edge(*area, 1) };
            let in_row = self.kinds.iter().enumerate().skip(row * columns);
            for (cell, (index, kind)) in cells.into_iter().zip(in_row) {
                let list = TopList {
                    kind: *kind,
                    observation: self.observation,
                    filter: self.filter,
                    sort: self.sorts.of(*kind),
                    focused: index == self.focus,
                    theme: self.theme,
                };
                canvas.render(list, cell);
                canvas.hit(cell, Hit::List(index));
            }
        }
    }
}

/// Divides the height among rows; the first ones get the remainder.
fn heights(height: u16, rows: usize) -> Vec<u16> {
    let rows = u16::try_from(rows).unwrap_or(1).max(1);
    let (each, rest) = (height / rows, height % rows);
    (0..rows).map(|row| (each + u16::from(row < rest)).min(CELL_HEIGHT_MAX)).collect()
}
