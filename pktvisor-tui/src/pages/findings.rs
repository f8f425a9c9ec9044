//! What is wrong: the line on top of every page, the list of all findings, and the details of one.

use pktvisor_api::Severity;
use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::Style,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    app::{Hit, UiState},
    format,
    model::{AgentModel, FindingRow, KeptEnd, Row, fit},
    theme::Theme,
    widgets::{
        Canvas,
        grid::{equal_columns_to_the_edge, split_top},
        heading::Heading,
        notice,
        number_table::{self, Column, Cursor, NumberTable, TableRow, cell},
    },
};

/// Rows of the line on top of a page; none for agents that report no findings and know HOST.
pub(super) fn line_height(app: &UiState) -> u16 {
    let needs_line = |agent: &AgentModel| agent.findings.is_some() || agent.direction_advice().is_some();
    u16::from(app.agent().is_some_and(needs_line))
}

/// The worst finding, and how many there are besides it.
pub(super) fn draw_line(canvas: &mut Canvas<'_>, area: Rect, app: &UiState) {
    let Some(agent) = app.agent() else { return };
    let theme = canvas.theme;
    let findings = agent.findings.as_deref().unwrap_or_default();
    let Some(worst) = findings.first() else {
        if let Some(advice) = agent.direction_advice() {
            let text = notice::cut_at_word(&format!("• {advice}"), usize::from(area.width.saturating_sub(2)));
            return canvas.put(area, 0, 1, &text, theme.warn);
        }
        return canvas.put(area, 0, 1, "✓ no finding", theme.label);
    };
    canvas.hit(area, Hit::Findings);
    let others = match findings.len() - 1 {
        0 => String::new(),
        others => format!("+{others} more"),
    };
    let others_width = if others.is_empty() { 0 } else { others.width() + 2 };
    let room = usize::from(area.width).saturating_sub(2 + others_width);
    let text = notice::cut_at_word(&format!("{} {}", mark(worst.severity), worst.text), room);
    canvas.put(area, 0, 1, &text, style(worst.severity, theme));
    canvas.right(area, 0, area.width.saturating_sub(1), &others, theme.accent);
}

/// The sign of a severity: colour is never the only one.
fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "✕",
        Severity::Warning => "▲",
        Severity::Notice => "•",
    }
}

fn style(severity: Severity, theme: &Theme) -> Style {
    match severity {
        Severity::Critical => theme.bad,
        Severity::Warning => theme.warn,
        Severity::Notice => theme.text,
    }
}

/// All findings, with the details of the one under the cursor.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, cursor: usize) {
    let theme = canvas.theme;
    let findings = app.agent().and_then(|agent| agent.findings.as_deref());
    let (heading, body) = split_top(area, 1);
    let remark = format!("{} · the most severe first", findings.map_or(0, <[FindingRow]>::len));
    canvas.render(Heading { title: "Findings", remarks: &[&remark], style: theme.accent, theme }, heading);
    let Some(selected) = findings.and_then(|findings| findings.get(cursor)) else {
        let text = match findings {
            Some(_) => "nothing is wrong",
            None => "this agent reports no findings",
        };
        return canvas.put(body, 1, 1, text, theme.label);
    };
    let findings = findings.unwrap_or_default();
    let sentence = notice::wrap(selected.text.as_str(), usize::from(area.width.saturating_sub(2)));
    let sentence_height = u16::try_from(sentence.len()).unwrap_or(u16::MAX);
    let details_height = details_height(selected).saturating_add(sentence_height + 2);
    let details_height = details_height.min(body.height.saturating_sub(2));
    let rows = [Constraint::Fill(1), Constraint::Length(details_height)];
    let [list, details] = body.layout(&Layout::vertical(rows));
    draw_list(canvas, list, findings, cursor);
    let (heading, details) = split_top(details, 1);
    let title = format!("{} · {}", selected.kind, selected.subject_kind.name());
    canvas.render(Heading { title: &title, remarks: &[], style: theme.text, theme }, heading);
    for (row, line) in (0..).zip(&sentence) {
        canvas.put(details, row, 1, line, style(selected.severity, theme));
    }
    let (_, details) = split_top(details, sentence_height + 1);
    draw_details(canvas, details, selected);
}

/// Columns of a date and a time.
const SINCE_WIDTH: u16 = 10;

fn draw_list(canvas: &mut Canvas<'_>, area: Rect, findings: &[FindingRow], cursor: usize) {
    let theme = canvas.theme;
    let columns = [
        Column::Blank(1),
        Column::Text(2),
        Column::Text(SINCE_WIDTH),
        Column::Number(7),
        Column::Blank(2),
        Column::Text(area.width),
    ];
    let text_width = usize::from(area.width.saturating_sub(SINCE_WIDTH + 12));
    let visible = number_table::visible(area.height, cursor, findings.len());
    let shown = visible.clone().zip(findings.get(visible.clone()).unwrap_or_default());
    let rows = shown.map(|(index, finding)| {
        let style = style(finding.severity, theme);
        let cells = [
            cell(mark(finding.severity), style),
            cell(format::time_of_day(finding.since_ts), theme.text),
            cell(format::age(finding.lasts), theme.label),
            cell(notice::cut_at_word(finding.text.as_str(), text_width), style),
        ];
        TableRow { hit: Some(Hit::Row(index)), ..cells.into_iter().collect() }
    });
    let table = NumberTable {
        columns: &columns,
        heads: Some(["", "since UTC", "for", ""].map(|head| cell(head, theme.label)).into_iter().collect()),
        rows: rows.collect(),
        first: visible.start,
        cursor: Some(Cursor { row: cursor, columns: 4 }),
        theme,
    };
    canvas.render(table, area);
}

/// Rows of names or figures of a finding on the overview.
const SUMMARY_ROWS: u16 = 5;

/// The worst finding on the overview: its sentence, if the line on top cuts it, its causes and its
/// figures. Returns the area below.
pub(super) fn draw_summary(canvas: &mut Canvas<'_>, area: Rect, finding: &FindingRow) -> Rect {
    let width = usize::from(area.width);
    let mut rest = area;
    if finding.text.width() + MORE_WIDTH > width {
        let lines = notice::wrap(finding.text.as_str(), width.saturating_sub(2));
        let (sentence, below) = split_top(area, u16::try_from(lines.len()).unwrap_or(u16::MAX));
        for (row, line) in (0..).zip(&lines) {
            canvas.put(sentence, row, 1, line, style(finding.severity, canvas.theme));
        }
        rest = below;
    }
    let height = details_height(finding).min(1 + SUMMARY_ROWS).min(rest.height / 2);
    let (details, rest) = split_top(rest, height);
    draw_details(canvas, details, finding);
    rest
}

/// Columns that the line of findings needs besides the sentence, at most.
const MORE_WIDTH: usize = 14;

/// Rows of [`draw_details`].
fn details_height(finding: &FindingRow) -> u16 {
    let rows = finding.who.len().max(finding.measures.len()).max(1);
    u16::try_from(rows + 1).unwrap_or(u16::MAX)
}

/// Who causes a finding, and the figures that it rests on, beside each other.
fn draw_details(canvas: &mut Canvas<'_>, area: Rect, finding: &FindingRow) {
    let theme = canvas.theme;
    let [who, figures] = match equal_columns_to_the_edge(area, 2).as_slice() {
        [who, figures] => [*who, *figures],
        _ => return,
    };
    let (heading, body) = split_top(who, 1);
    let subject = finding.subject.as_str();
    let room = usize::from(heading.width).saturating_sub(12);
    let remark = format!("of {}", fit(subject, room.max(8), KeptEnd::Tail));
    canvas.render(Heading { title: "Who", remarks: &[&remark], style: theme.text, theme }, heading);
    if finding.who.is_empty() {
        canvas.put(body, 0, 1, "nobody in particular", theme.label);
    }
    let name_width = body.width.saturating_sub(7);
    let columns = [Column::Blank(1), Column::Text(name_width), Column::Number(6)];
    let name = |row: &Row| fit(row.name.as_str(), usize::from(name_width.saturating_sub(1)), KeptEnd::Ends);
    let row = |row: &Row| -> TableRow<'static> {
        [cell(name(row), theme.text), cell(format::count(row.estimate), theme.value)].into_iter().collect()
    };
    canvas.render(NumberTable::new(&columns, finding.who.iter().map(row).collect(), theme), body);
    let (heading, body) = split_top(figures, 1);
    let since = format!("since {}", format::time_of_day(finding.since_ts));
    canvas.render(Heading { title: "Figures", remarks: &[&since], style: theme.text, theme }, heading);
    let name_width = body.width.saturating_sub(10);
    let columns = [Column::Blank(1), Column::Text(name_width), Column::Number(9)];
    let row = |(name, value): &(crate::model::Printable, f64)| -> TableRow<'static> {
        let label = fit(name.as_str(), usize::from(name_width.saturating_sub(1)), KeptEnd::Head);
        let number = format::measure(name.as_str(), *value);
        [cell(label, theme.label), cell(number, theme.value)].into_iter().collect()
    };
    canvas.render(NumberTable::new(&columns, finding.measures.iter().map(row).collect(), theme), body);
}
