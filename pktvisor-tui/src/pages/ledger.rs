//! The ledger on the agent's page: where every packet went since the agent's start.

use pktvisor_api::Ledger;
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    format,
    model::{AgentModel, HealthLevel},
    theme::Theme,
    widgets::{
        Canvas, chart,
        grid::split_top,
        heading::Heading,
        number_table::{Column, NumberTable, TableRow, cell},
    },
};

/// Columns of the ledger without its bars.
pub(super) const WIDTH: u16 = 39;

/// A line of the ledger: how deep in the tree, what, how many, of how many, and whether any is bad.
struct LedgerItem {
    branch: &'static str,
    label: &'static str,
    count: u64,
    whole: u64,
    loss: bool,
}

fn items(ledger: &Ledger) -> [LedgerItem; 11] {
    let meant = ledger.dns_packets;
    let item = |branch, label, count, whole| LedgerItem { branch, label, count, whole, loss: false };
    [
        item("", "seen", ledger.seen, ledger.seen),
        item("├ ", "filtered", ledger.filtered, ledger.seen),
        item("└ ", "counted", ledger.counted, ledger.seen),
        item("  └ ", "DNS packets", ledger.dns_packets, ledger.counted),
        item("    ├ ", "not sampled", ledger.not_chosen, meant),
        LedgerItem { loss: true, ..item("    ├ ", "lost", ledger.lost, meant) },
        item("    ├ ", "on its way", ledger.pending, meant),
        item("    └ ", "delivered", ledger.delivered, meant),
        item("      ├ ", "analysed", ledger.analysed, ledger.delivered),
        item("      ├ ", "malformed", ledger.malformed, ledger.delivered),
        item("      └ ", "no message", ledger.without_message, ledger.delivered),
    ]
}

/// Rows of [`draw`]: title, items, messages, balance.
pub(super) fn height(agent: &AgentModel) -> u16 {
    if agent.info.as_ref().is_some_and(|info| info.ledger.is_some()) { 14 } else { 2 }
}

/// Widest bar of the ledger.
const LEDGER_BAR_WIDTH_MAX: u16 = 40;

/// Where every packet went since the agent's start; and whether the terms add up.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel) {
    let theme = canvas.theme;
    let (heading, body) = split_top(area, 1);
    let ledger = agent.info.as_ref().and_then(|info| info.ledger);
    let remarks = if ledger.is_some() { &["packets since start"][..] } else { &[] };
    canvas.render(Heading { title: "Ledger", remarks, style: theme.text, theme }, heading);
    let Some(ledger) = ledger else {
        return canvas.put(body, 0, 1, "not reported by this agent", theme.label);
    };
    let bar_width = match area.width.saturating_sub(42) {
        0..4 => 0,
        room => room.min(LEDGER_BAR_WIDTH_MAX),
    };
    let numbers = [Column::Number(14), Column::Number(6)];
    let columns = [
        Column::Blank(1),
        Column::Text(18),
        numbers[0],
        numbers[1],
        Column::Blank(2),
        Column::Text(bar_width),
    ];
    let mut rows: Vec<TableRow<'_>> =
        items(&ledger).iter().map(|item| item.row(usize::from(bar_width), theme)).collect();
    let messages = cell(ledger_number(ledger.messages), theme.value);
    rows.push([cell("DNS messages", theme.text), messages].into_iter().collect());
    rows.push([balance(&ledger, theme)].into_iter().collect());
    canvas.render(NumberTable::new(&columns, rows, theme), body);
}

impl LedgerItem {
    fn row(&self, bar_width: usize, theme: &Theme) -> TableRow<'static> {
        let share = format::share(self.count, self.whole);
        let style = if self.loss { theme.health(HealthLevel::of_loss(share)) } else { theme.value };
        let label = [Span::styled(self.branch, theme.label), Span::styled(self.label, theme.text)];
        let cells = [
            Line::from_iter(label),
            cell(ledger_number(self.count), style),
            cell(format::percent(share), theme.text),
            cell(chart::bar(self.count, self.whole, bar_width), theme.bar),
        ];
        cells.into_iter().collect()
    }
}

/// Whether the terms add up, in words.
fn balance(ledger: &Ledger, theme: &Theme) -> Line<'static> {
    match imbalance(ledger) {
        0 => cell("every packet is accounted for", theme.good),
        difference => cell(format!("{} packets are unaccounted for", format::count(difference)), theme.warn),
    }
}

fn ledger_number(value: u64) -> String {
    format::exact_within(value, 13)
}

/// By how much the three equations of the ledger are off, together.
fn imbalance(ledger: &Ledger) -> u64 {
    let off = |whole: u64, terms: &[u64]| {
        u128::from(whole).abs_diff(terms.iter().map(|term| u128::from(*term)).sum())
    };
    let off = off(ledger.seen, &[ledger.filtered, ledger.counted])
        + off(ledger.dns_packets, &[ledger.not_chosen, ledger.delivered, ledger.lost, ledger.pending])
        + off(ledger.delivered, &[ledger.analysed, ledger.malformed, ledger.without_message]);
    u64::try_from(off).unwrap_or(u64::MAX)
}
