//! Figures over time: seconds that this UI has seen, or periods that the agent keeps.

use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::Style,
};

use crate::{
    format,
    model::{AgentModel, HealthLevel, ListKind, Observation, PeriodPoint, Rcode, SecondSample},
    theme::Theme,
    widgets::{
        Canvas,
        chart::{self, ColumnChart},
        grid::{equal_columns, split_left, split_top},
        heading::Heading,
        list_grid,
        number_table::{Column, NumberTable, TableRow, cell},
    },
};

/// A figure that has a past.
pub(super) struct Series {
    title: &'static str,
    second: fn(&SecondSample) -> Option<u64>,
    period: fn(&PeriodPoint) -> Option<u64>,
    format: fn(u64) -> String,
}

/// Queries a second.
pub(super) const QUERIES: Series = Series {
    title: "DNS queries/s",
    second: |second| second.queries,
    period: |period| period.per_second(period.queries),
    format: format::count,
};

/// The share of replies that failed, in thousandths.
pub(super) const FAILED: Series = Series {
    title: "Failed replies",
    second: |second| second.errors_permille,
    period: |period| period.errors_permille(),
    format: |permille| format::percent(Some(permille as f64 / 1000.0)),
};

/// Packets a second, none of which has a direction.
const UNDIRECTED: Series = Series {
    title: "Packets/s",
    second: |second| second.unknown,
    period: |period| period.per_second(period.packets),
    format: format::count,
};

/// Packets a second to HOST.
const RECEIVED: Series = Series {
    title: "Packets/s in",
    second: |second| second.received,
    period: |period| period.per_second(period.received),
    format: format::count,
};

/// Packets a second from HOST.
const SENT: Series = Series {
    title: "Packets/s out",
    second: |second| second.sent,
    period: |period| period.per_second(period.sent),
    format: format::count,
};

/// Packets a second in and out; as a whole where no packet has a direction.
pub(super) fn packets(window: &Observation) -> &'static [Series] {
    if window.has_no_direction() { &[UNDIRECTED] } else { &[RECEIVED, SENT] }
}

/// Draws charts side by side.
pub(super) fn draw_row<'a>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    agent: &AgentModel,
    series: impl ExactSizeIterator<Item = &'a Series>,
) {
    // Narrower ones would not have room for their titles.
    const WIDTH_MIN: u16 = 20;
    let count = u16::try_from(series.len()).unwrap_or(u16::MAX).min((area.width / WIDTH_MIN).max(1));
    for (cell, series) in equal_columns(area, usize::from(count)).into_iter().zip(series) {
        draw(canvas, cell, agent, series);
    }
}

/// Columns of a period, at most.
const PERIOD_WIDTH_MAX: u16 = 8;
/// Rows beyond which a chart shows nothing more.
const HEIGHT_MAX: u16 = 16;

/// Rows for charts of a page with such lists: the rows that lists cannot fill, at least `at_least`,
/// and none if there is no past to draw.
pub(super) fn height(agent: &AgentModel, area: Rect, lists: &[ListKind], at_least: u16) -> u16 {
    if agent.is_file() && agent.history.period_count() < 2 {
        return 0;
    }
    let spare = area.height.saturating_sub(list_grid::height_max(area.width, area.height, lists.len()));
    spare.min(HEIGHT_MAX).max(at_least)
}

/// Draws a chart with its title and scale, as high as its area.
fn draw(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, series: &Series) {
    if area.height < 3 {
        return;
    }
    let theme = canvas.theme;
    let (heading, body) = split_top(area, 1);
    let axis_width = if area.width >= 40 { 7 } else { 1 };
    let columns = [Constraint::Length(axis_width), Constraint::Fill(1), Constraint::Length(1)];
    let [axis, plot, _] = body.layout(&Layout::horizontal(columns));
    let (values, columns_each, unit) = values(agent, series, plot.width);
    let shown = usize::from(plot.width / columns_each).min(values.len());
    let peak = values.iter().take(shown).flatten().max().copied();
    let columns = values.into_iter().flat_map(|value| std::iter::repeat_n(value, usize::from(columns_each)));
    let chart = ColumnChart::new(columns, plot.width, theme);
    if axis.width > 1 {
        let end = axis.width - 1;
        canvas.right(axis, 0, end, &(series.format)(chart.scale()), theme.label);
        canvas.right(axis, axis.height.saturating_sub(1), end, "0", theme.label);
    }
    canvas.render(chart, plot);
    let remark = match peak {
        Some(peak) => format!("last {shown}{unit}, peak {:>5}", (series.format)(peak)),
        None => "nothing yet".to_owned(),
    };
    canvas.render(Heading { title: series.title, remarks: &[&remark], style: theme.text, theme }, heading);
}

/// Values, the newest first; columns of each value; their unit of time. A file has periods instead
/// of seconds.
fn values(agent: &AgentModel, series: &Series, width: u16) -> (Vec<Option<u64>>, u16, &'static str) {
    if agent.is_file() {
        let values: Vec<Option<u64>> = agent.history.periods().map(series.period).collect();
        let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
        return (values, width.checked_div(count).unwrap_or(1).clamp(1, PERIOD_WIDTH_MAX), "m");
    }
    (agent.seconds().map(|second| (series.second)(&second)).collect(), 1, "s")
}

/// The style of a response code's share.
pub(super) fn rcode_style(window: &Observation, rcode: Rcode, theme: &Theme) -> Style {
    let share = window.share_of(rcode);
    theme.health(match rcode {
        Rcode::Noerror => HealthLevel::Good,
        Rcode::Nxdomain => HealthLevel::of_nxdomain(share),
        Rcode::Servfail | Rcode::Refused | Rcode::Other => HealthLevel::of_errors(share),
    })
}

/// Rows of [`draw_rcodes`].
pub(super) const RCODES_HEIGHT: u16 = 6;
/// Columns of label, number and share.
pub(super) const RCODE_COLUMNS: [Column; 4] =
    [Column::Blank(1), Column::Text(8), Column::Number(7), Column::Number(6)];
/// Columns that the table of response codes needs.
pub(super) const RCODES_WIDTH: u16 = 22;
/// Narrower charts and bars show nothing.
const PAST_WIDTH_MIN: u16 = 4;

/// Response codes: number, share, and replies a second in the periods kept.
pub(super) fn draw_rcodes(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) {
    let theme = canvas.theme;
    let replies = window.dns.wire_packets.replies;
    let remark = format!("{} replies", format::count(replies));
    let (heading, body) = split_top(area, 1);
    canvas
        .render(Heading { title: "Response codes", remarks: &[&remark], style: theme.text, theme }, heading);
    let row = |rcode: Rcode| -> TableRow<'_> {
        let style = rcode_style(window, rcode, theme);
        let count = cell(format::count(window.replies_with(rcode)), style);
        let share = cell(format::percent(window.share_of(rcode)), style);
        [cell(rcode.name(), theme.label), count, share].into_iter().collect()
    };
    let rows = Rcode::ALL.into_iter().map(row).collect();
    canvas.render(NumberTable::new(&RCODE_COLUMNS, rows, theme), body);
    let (_, past) = split_left(body, RCODES_WIDTH + 2);
    let past = past.layout::<2>(&Layout::horizontal([Constraint::Fill(1), Constraint::Length(1)]))[0];
    if past.width >= PAST_WIDTH_MIN {
        draw_past_rcodes(canvas, past, agent, window);
    }
}

/// Each code on its own scale, so that few errors are as visible as many good replies; bars where
/// there is no past.
fn draw_past_rcodes(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) {
    let kept = u16::try_from(agent.history.period_count()).unwrap_or(u16::MAX);
    // A period is as many columns wide as there is room for, up to three.
    let columns_each = area.width.checked_div(kept).unwrap_or(0).clamp(1, 3);
    let (area, _) = if kept < 2 { (area, area) } else { split_left(area, kept * columns_each) };
    for (row, (index, rcode)) in area.rows().zip(Rcode::ALL.into_iter().enumerate()) {
        if kept < 2 {
            let replies = window.dns.wire_packets.replies;
            let bar = chart::bar(window.replies_with(rcode), replies, usize::from(row.width));
            canvas.text(row, 0, &bar, canvas.theme.bar);
            continue;
        }
        let replies_of =
            |point: &PeriodPoint| point.per_second_milli(point.rcodes.get(index).copied().unwrap_or(0));
        let values = agent
            .history
            .periods()
            .flat_map(|point| std::iter::repeat_n(replies_of(point), usize::from(columns_each)));
        canvas.render(ColumnChart::new(values, row.width, canvas.theme), row);
    }
}
