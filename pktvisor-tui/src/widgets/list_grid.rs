//! Many lists at once: as many columns as are readable, all rows if they fit, else scrolled to the focused one.

use ratatui::layout::Rect;

use super::{
    Canvas,
    top_list::{self, TopList},
};
use crate::{
    app::Hit,
    model::{ListKind, Observation, Sorts},
};

/// What to draw.
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
}

/// Columns below which a name cannot be told from another.
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

/// As few lists beside each other, and so as long names, as all rows of all lists allow; else as many as are readable.
fn columns(width: u16, height: u16, lists: usize) -> usize {
    let most = usize::from(width / CELL_WIDTH_MIN).clamp(1, lists.max(1));
    (2..most).find(|columns| full_height(lists, *columns) <= height).unwrap_or(most)
}

/// Draws the grid.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, grid: &ListGrid<'_>) {
    if area.height < 2 || grid.kinds.is_empty() {
        return;
    }
    let columns = columns(area.width, area.height, grid.kinds.len());
    canvas.regions.columns = columns;
    let rows = grid.kinds.len().div_ceil(columns);
    let readable_rows = usize::from(area.height / CELL_HEIGHT_MIN).max(1);
    let all_fit = usize::from(area.height / CELL_HEIGHT_TIGHT) >= rows;
    let visible_rows = if all_fit { rows } else { rows.min(readable_rows) };
    // As far down as the focused list needs; never further than the last row.
    let focused_row = grid.focus / columns;
    let first_row = focused_row.saturating_sub(visible_rows - 1).min(rows - visible_rows);
    let width = area.width / u16::try_from(columns).unwrap_or(1);
    let heights = heights(area.height, visible_rows);
    let mut y = area.y;
    for (row, height) in (first_row..).zip(heights) {
        let in_row = grid.kinds.iter().enumerate().skip(row * columns).take(columns);
        for (column, (index, kind)) in (0u16..).zip(in_row) {
            let cell = Rect {
                x: area.x + column * width,
                y,
                width: width.saturating_sub(u16::from(columns > 1)),
                height,
            };
            let list = TopList {
                kind: *kind,
                observation: grid.observation,
                filter: grid.filter,
                sort: grid.sorts.of(*kind),
                focused: index == grid.focus,
            };
            top_list::draw(canvas, cell, &list);
            canvas.hit(cell, Hit::List(index));
        }
        y += height;
    }
}

/// Shares the height out to rows, what is left over to the first ones.
fn heights(height: u16, rows: usize) -> Vec<u16> {
    let rows = u16::try_from(rows).unwrap_or(1).max(1);
    let (each, rest) = (height / rows, height % rows);
    (0..rows).map(|row| (each + u16::from(row < rest)).min(CELL_HEIGHT_MAX)).collect()
}
