//! Help: keys, terms, and lists.

use ratatui::layout::Rect;

use crate::{
    app::KEYS,
    model::ListKind,
    theme::Theme,
    widgets::{
        Canvas, notice,
        number_table::{Column, NumberTable, TableRow, cell},
    },
};

/// Terms of the screen, where a name alone does not explain itself.
const TERMS: [(&str, &str); 19] = [
    ("in, out", "to and from HOST: the addresses of the interface, and those given to pktvisord by -H"),
    ("10s, 5m", "tiles: the last ten seconds are large, the window is below them; charts are by the second"),
    ("now, /s", "the last full second; avg where a file was read: the mean over the window"),
    ("p50 p90 p95 p99", "half, 90, 95, 99 of 100 values are not larger"),
    ("Failed replies", "neither NOERROR nor NXDOMAIN; 2 % are worth a look, 10 % are bad"),
    ("NXDOMAIN", "worth a look from 30 % of the replies on, bad from 60 %"),
    (
        "Unanswered",
        "queries that timed out, or wait for longer than a second; 1 % is worth a look, 5 % are bad",
    ),
    ("p95 in, out", "what HOST needed to answer, and what it waited for; over 10s, the mean of the seconds"),
    ("Timed out", "queries without a response within 5 s"),
    ("late, orphans", "responses after the time-out; responses without a query"),
    ("IPs, names", "estimated numbers of distinct ones"),
    ("EDNS, DO, ECS", "share of queries with EDNS; numbers with the DNSSEC OK bit, with a client subnet"),
    ("deep", "packets that were analysed, as far as they carry DNS, and all others"),
    ("analysed 25%", "names, types and times are of this share of the DNS; zoom shows the scaled numbers"),
    ("at least, at most", "the true number is between them; the count is an estimate"),
    (
        "Union",
        "the fleet as if one agent had seen all its traffic: distinct items count once; ± is the error of the percentiles",
    ),
    ("bars", "relative to the largest row of their list; shares are of what the title says"),
    (
        "charts",
        "a column a second (a period for files), the newest at the right; response codes: a period, each on its own scale",
    ),
    ("▲ stale", "the agent does not answer: the last data stays, with its age, and the agent is asked again"),
];

/// Columns of the terms, with the blank behind them.
const TERM_WIDTH: u16 = 19;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, first_line: u16) {
    let rows = rows(area.width, canvas.theme);
    let last_start = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    canvas.regions.scroll_max = Some(last_start);
    let first = usize::from(first_line.min(last_start));
    let rows = rows.into_iter().skip(first).take(usize::from(area.height)).collect();
    let columns = [Column::Blank(1), Column::Text(TERM_WIDTH), Column::Text(area.width)];
    canvas.render(NumberTable::new(&columns, rows, canvas.theme), area);
}

/// All lines of the help on a screen of this width.
fn rows(width: u16, theme: &Theme) -> Vec<TableRow<'static>> {
    let meaning_width = usize::from(width.saturating_sub(TERM_WIDTH + 3)).max(10);
    let mut rows = Vec::new();
    let mut section =
        |title: &'static str, entries: &mut dyn Iterator<Item = (&'static str, &'static str)>| {
            rows.push(TableRow::from_iter([cell(title, theme.accent)]));
            for (term, meaning) in entries {
                for (index, line) in notice::wrap(meaning, meaning_width).into_iter().enumerate() {
                    let term = if index == 0 { term } else { "" };
                    rows.push(TableRow::from_iter([cell(term, theme.value), cell(line, theme.text)]));
                }
            }
            rows.push(TableRow::default());
        };
    section("Keys", &mut KEYS.into_iter());
    section("What is what", &mut TERMS.into_iter());
    section("Lists", &mut ListKind::printed().into_iter().map(|kind| (kind.title(), kind.explanation())));
    rows
}
