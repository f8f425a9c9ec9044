//! A table of texts and numbers: ratatui's `Table`, with the promise that no number is ever cut.
//!
//! `Table` shrinks columns that do not fit. This widget leaves numbers out instead, because a
//! number that lost a digit is a wrong number, ends cut texts in `…`, and records the place of
//! every text.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Cell, Row, StatefulWidget, Table, Widget},
};

use super::canvas::Canvas;
use crate::{
    app::{Hit, Regions},
    model::{KeptEnd, fit},
    theme::Theme,
};

/// A column with its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Nothing; rows have no cell for it.
    Blank(u16),
    /// Text, from the left, cut where the table ends.
    Text(u16),
    /// A number, at the right; left out where the column does not fit into the table.
    Number(u16),
}

impl Column {
    fn width(self) -> u16 {
        match self {
            Self::Blank(width) | Self::Text(width) | Self::Number(width) => width,
        }
    }
}

/// One row.
#[derive(Default)]
pub struct TableRow<'a> {
    /// A cell for each column that is not blank, those at the end may be missing. A single cell
    /// spans the table.
    pub cells: Vec<Line<'a>>,
    /// What a click on the row hits.
    pub hit: Option<Hit>,
}

impl<'a, T: Into<Line<'a>>> FromIterator<T> for TableRow<'a> {
    fn from_iter<I: IntoIterator<Item = T>>(cells: I) -> Self {
        Self { cells: cells.into_iter().map(Into::into).collect(), hit: None }
    }
}

/// A cell of one style.
pub fn cell<'a>(text: impl Into<std::borrow::Cow<'a, str>>, style: Style) -> Line<'a> {
    Line::from(Span::styled(text, style))
}

/// The cursor: a row, and how many columns of it are highlighted.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    /// The row.
    pub row: usize,
    /// Columns, blank ones included.
    pub columns: usize,
}

/// The table.
pub struct NumberTable<'a> {
    /// The columns.
    pub columns: &'a [Column],
    /// The heads of the columns, above the rows; `None` where the title says enough.
    pub heads: Option<TableRow<'a>>,
    /// The rows that [`visible`] names.
    pub rows: Vec<TableRow<'a>>,
    /// Index of the first of `rows` in the whole table.
    pub first: usize,
    /// The row under the cursor, which is counted in the whole table.
    pub cursor: Option<Cursor>,
    /// Styles.
    pub theme: &'a Theme,
}

/// The rows to draw of `count` in a table of `height`, heads included, so that the one under the
/// cursor is visible.
pub fn visible(height: u16, cursor: usize, count: usize) -> Range<usize> {
    let shown = usize::from(height.saturating_sub(1)).max(1);
    let first = (cursor + 1).saturating_sub(shown);
    first..(first + shown).min(count)
}

impl<'a> NumberTable<'a> {
    /// A table of all rows, without heads and without a cursor.
    pub fn new(columns: &'a [Column], rows: Vec<TableRow<'a>>, theme: &'a Theme) -> Self {
        Self { columns, heads: None, rows, first: 0, cursor: None, theme }
    }

    /// The columns that fit into `width`: numbers whole, texts and blanks as far as there is room.
    fn fitting(&self, width: u16) -> Vec<Column> {
        let mut left = width;
        let mut fitting = Vec::with_capacity(self.columns.len());
        for column in self.columns {
            let column = match *column {
                Column::Blank(width) => Column::Blank(width.min(left)),
                Column::Text(width) => Column::Text(width.min(left)),
                Column::Number(width) if width <= left => Column::Number(width),
                Column::Number(_) => break,
            };
            left -= column.width();
            fitting.push(column);
        }
        fitting
    }
}

/// Where a row is drawn.
struct RowPlace<'a> {
    columns: &'a [Column],
    area: Rect,
}

impl RowPlace<'_> {
    /// The cells as ratatui's, whose texts are recorded.
    fn row<'a>(&self, row: TableRow<'a>, canvas: &mut Canvas<'_>) -> Row<'a> {
        let mut cells = Vec::with_capacity(self.columns.len());
        let mut column_start = self.area.x;
        let spans = row.cells.len() == 1;
        let mut texts = row.cells.into_iter();
        for (index, column) in self.columns.iter().enumerate() {
            let cell = match column {
                Column::Blank(_) => Cell::new(""),
                Column::Text(_) if spans => {
                    let place =
                        Rect { x: column_start, width: self.area.right() - column_start, ..self.area };
                    let line = texts.next().map(|line| left(line, place, canvas)).unwrap_or_default();
                    let columns = u16::try_from(self.columns.len() - index).unwrap_or(u16::MAX);
                    cells.push(Cell::from(line).column_span(columns));
                    break;
                }
                Column::Text(width) => {
                    let place = Rect { x: column_start, width: *width, ..self.area };
                    Cell::from(texts.next().map(|line| left(line, place, canvas)).unwrap_or_default())
                }
                Column::Number(width) => {
                    let place = Rect { x: column_start, width: *width, ..self.area };
                    Cell::from(texts.next().map(|line| right(line, place, canvas)).unwrap_or_default())
                }
            };
            cells.push(cell);
            column_start += column.width();
        }
        Row::new(cells)
    }
}

/// A text cut to its place, and recorded.
fn left<'a>(line: Line<'a>, place: Rect, canvas: &mut Canvas<'_>) -> Line<'a> {
    let mut x = place.x;
    let mut fitted = Line::default();
    for span in line {
        let text = fit(&span.content, usize::from(place.right().saturating_sub(x)), KeptEnd::Head);
        canvas.record_text(x, place.y, &text);
        let span = Span::styled(text, span.style);
        x = x.saturating_add(u16::try_from(span.width()).unwrap_or(u16::MAX));
        fitted.push_span(span);
    }
    fitted
}

/// A number at the right of its place, recorded; nothing if it does not fit.
fn right<'a>(line: Line<'a>, place: Rect, canvas: &mut Canvas<'_>) -> Line<'a> {
    let Some(blanks) = u16::try_from(line.width()).ok().and_then(|width| place.width.checked_sub(width))
    else {
        return Line::default();
    };
    let mut x = place.x + blanks;
    for span in &line {
        canvas.record_text(x, place.y, &span.content);
        x = x.saturating_add(u16::try_from(span.width()).unwrap_or(u16::MAX));
    }
    line.right_aligned()
}

impl StatefulWidget for NumberTable<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let area = area.intersection(buffer.area);
        let columns = self.fitting(area.width);
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let mut places = area.rows().map(|area| RowPlace { columns: &columns, area });
        let heads = self.heads.and_then(|heads| Some(places.next()?.row(heads, &mut canvas)));
        let mut highlighted = None;
        let mut rows = Vec::new();
        for ((index, row), place) in (self.first..).zip(self.rows).zip(places) {
            if let Some(hit) = row.hit {
                canvas.hit(place.area, hit);
            }
            if let Some(cursor) = self.cursor.filter(|cursor| cursor.row == index) {
                let width = columns.iter().take(cursor.columns).map(|column| column.width()).sum();
                highlighted = Some(Rect { width, ..place.area });
            }
            rows.push(place.row(row, &mut canvas));
        }
        let widths = columns.iter().map(|column| Constraint::Length(column.width()));
        let table = Table::new(rows, widths).column_spacing(0);
        let table = match heads {
            Some(heads) => table.header(heads),
            None => table,
        };
        Widget::render(table, area, canvas.buffer());
        if let Some(cells) = highlighted {
            canvas.buffer().set_style(cells, self.theme.cursor);
        }
    }
}
