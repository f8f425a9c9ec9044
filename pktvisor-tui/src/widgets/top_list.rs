//! One list: names with count, share and bar.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::StatefulWidget};

use super::{
    canvas::Canvas,
    chart,
    grid::split_top,
    heading::Heading,
    number_table::{Column, NumberTable, TableRow, cell},
};
use crate::{
    app::Regions,
    format,
    model::{ListKind, Observation, Row, Sort, fit},
    theme::Theme,
};

/// Title and as many rows as fit.
pub struct TopList<'a> {
    /// The kind of list.
    pub kind: ListKind,
    /// Where its rows are; nothing before the first answer.
    pub observation: &'a Observation,
    /// Only names that contain this.
    pub filter: &'a str,
    /// Order.
    pub sort: Sort,
    /// Whether keys go to it.
    pub focused: bool,
    /// Styles of the screen.
    pub theme: &'a Theme,
}

/// Columns of a count or a share, with the blank before it.
const NUMBER_WIDTH: u16 = 6;

impl TopList<'_> {
    fn heading(&self, canvas: &mut Canvas<'_>, area: Rect, shown: usize, whole: u64) {
        let title = self.kind.title();
        let (title, style) = match self.focused {
            true => (format!("▸ {title}"), self.theme.accent),
            false => (title.to_owned(), self.theme.text),
        };
        let kept = self.observation.list(self.kind).len();
        let remark = match (self.filter.is_empty(), kept) {
            (false, _) => format!("{shown} of {kept}"),
            (true, 0) => String::new(),
            (true, _) => format!("of {}", format::count(whole)),
        };
        let sort = match self.sort {
            Sort::Count => String::new(),
            Sort::Rate => "by rate, /s".to_owned(),
            Sort::Change => "by change, /s".to_owned(),
            other => format!("by {}", other.name()),
        };
        let both = match (sort.is_empty(), remark.is_empty()) {
            (true, _) => remark.clone(),
            (_, true) => sort.clone(),
            _ => format!("{sort} · {remark}"),
        };
        let remarks = [both.as_str(), &sort, &remark];
        canvas.render(Heading { title: &title, remarks: &remarks, style, theme: self.theme }, area);
    }

    fn row(&self, row: &Row, scale: &Scale) -> TableRow<'static> {
        let name = fit(row.name.as_str(), usize::from(scale.name_width), self.kind.keep());
        let share = format::percent(format::share(row.estimate, scale.whole));
        let bar = chart::bar(row.estimate, scale.largest, usize::from(scale.bar_width));
        let number = match row.rate.filter(|_| self.sort.needs_rates()) {
            Some(rate) => format::rate(rate.now_milli),
            None => format::count(row.estimate),
        };
        let cells = [
            cell(name, Style::new()),
            cell(number, self.theme.value),
            cell(share, self.theme.text),
            cell(bar, self.theme.bar),
        ];
        cells.into_iter().collect()
    }
}

/// What the rows of a list have in common.
struct Scale {
    /// What shares are of.
    whole: u64,
    /// What fills a bar.
    largest: u64,
    name_width: u16,
    bar_width: u16,
}

impl Scale {
    fn columns(&self) -> [Column; 6] {
        let number = Column::Number(NUMBER_WIDTH);
        let (name, bar) = (Column::Text(self.name_width), Column::Text(self.bar_width));
        [Column::Blank(1), name, number, number, Column::Blank(1), bar]
    }
}

impl StatefulWidget for TopList<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let rows = self.observation.rows(self.kind, self.filter, self.sort);
        let whole = self.kind.whole(self.observation);
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        let (heading, body) = split_top(area, 1);
        self.heading(&mut canvas, heading, rows.len(), whole);
        if rows.is_empty() {
            let is_empty = self.observation.list(self.kind).is_empty();
            let text = if is_empty { self.kind.why_empty(self.observation) } else { "nothing matches" };
            return canvas.put(body, 0, 1, text, self.theme.label);
        }
        let bar_width = bar_width(area.width);
        // One blank to the left, and one before the bar.
        let others = 1 + 2 * NUMBER_WIDTH + if bar_width > 0 { bar_width + 1 } else { 0 };
        let scale = Scale {
            whole,
            largest: rows.iter().map(|row| row.estimate).max().unwrap_or(0),
            name_width: area.width.saturating_sub(others),
            bar_width,
        };
        let columns = scale.columns();
        let shown = rows.iter().take(usize::from(body.height)).map(|row| self.row(row, &scale)).collect();
        canvas.render(NumberTable::new(&columns, shown, self.theme), body);
    }
}

/// Columns of a bar in a list of this width.
fn bar_width(width: u16) -> u16 {
    match width {
        0..24 => 0,
        24..32 => 3,
        32..60 => width / 6,
        _ => width / 4,
    }
}
