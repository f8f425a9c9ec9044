//! The agent itself: what it captures and how, where every packet went, and the connection to it.

use std::time::Duration;

use pktvisor_api::Ledger;
use ratatui::{layout::Rect, style::Style};

use super::split_left;
use crate::{
    app::App,
    format,
    model::{Agent, Capture, Health, Keep, Link, fit},
    theme::Theme,
    widgets::{Canvas, chart, notice},
};

/// A labelled text.
type Entry = (&'static str, String, Style);

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let Some(agent) = app.agent() else { return };
    if agent.info.is_none() && agent.window.is_none() {
        return super::nothing_yet(canvas, area, app);
    }
    // What the numbers of the left half need at least.
    let (left, right) = split_left(area, (area.width / 2).max(40));
    let left = Rect { width: left.width.saturating_sub(1), ..left };
    let row = draw_entries(canvas, left, 0, "Agent", &about(agent, canvas.theme));
    let row = draw_entries(canvas, left, row + 1, "Capture", &capture(agent, canvas.theme));
    let row = draw_notes(canvas, left, row, agent);
    let connection = connection(agent, app.now(), canvas.theme);
    draw_entries(canvas, left, row + 1, "Connection", &connection);
    let row = draw_ledger(canvas, right, agent);
    draw_entries(canvas, right, row + 1, "Given up in reassembly", &reassembly(agent, canvas.theme));
}

fn draw_entries(canvas: &mut Canvas<'_>, area: Rect, row: u16, title: &str, entries: &[Entry]) -> u16 {
    if row >= area.height {
        return row;
    }
    let area = Rect { y: area.y + row, height: area.height - row, ..area };
    canvas.title(area, title, "", canvas.theme.text);
    let mut line = 1;
    for (label, text, style) in entries {
        canvas.put(area, line, 1, label, canvas.theme.label);
        let column = if label.is_empty() { 1 } else { 20 };
        let room = usize::from(area.width.saturating_sub(column + 1));
        canvas.put(area, line, column, &fit(text, room, Keep::Head), *style);
        line += 1;
    }
    row + line
}

fn about(agent: &Agent, theme: &Theme) -> Vec<Entry> {
    let nothing = || format::NOTHING.to_owned();
    let info = agent.info.as_ref();
    let version =
        info.map(|i| i.version.as_str()).filter(|v| !v.is_empty()).map_or_else(nothing, str::to_owned);
    let mut entries = vec![
        ("version", if agent.is_ours() { version } else { format!("{version} (older)") }, theme.value),
        ("up", info.map_or_else(nothing, |i| format::age(i.up)), theme.text),
    ];
    if let Some(info) = info {
        let periods = match (info.single_summary, info.periods) {
            (true, _) => "one, for the whole file".to_owned(),
            (false, 0) => nothing(),
            (false, periods) => format!("{periods} of 60 s"),
        };
        entries.push(("periods kept", periods, theme.text));
        entries.push(("sampling ceiling", format!("{} %", info.deep_sample_rate_pct), theme.text));
        entries.push(("open transactions", format::exact(info.open_transactions), theme.text));
    }
    if let Some(window) = &agent.window {
        entries.push(("analysed", format::percent(Some(window.analysed_share())), theme.text));
    }
    entries
}

fn capture(agent: &Agent, theme: &Theme) -> Vec<Entry> {
    let Some(capture) = agent.capture() else {
        return vec![("", "not told by this agent".to_owned(), theme.label)];
    };
    let Capture { target, mode, hook, zero_copy, link_types, finished, notes: _ } = capture;
    let mut entries =
        vec![("target", target.to_string(), theme.value), ("mode", mode.to_string(), theme.value)];
    if let Some(hook) = hook {
        entries.push(("hook", hook.to_string(), theme.text));
    }
    if let Some(zero_copy) = zero_copy {
        entries.push(("zero copy", if *zero_copy { "yes" } else { "no" }.to_owned(), theme.text));
    }
    if !link_types.is_empty() {
        let names: Vec<String> = link_types.iter().map(u16::to_string).collect();
        entries.push(("link types", names.join(" "), theme.text));
    }
    if *finished {
        entries.push(("file", "read to its end".to_owned(), theme.good));
    }
    entries
}

fn draw_notes(canvas: &mut Canvas<'_>, area: Rect, mut row: u16, agent: &Agent) -> u16 {
    let notes = agent.capture().map_or(&[][..], |capture| capture.notes.as_slice());
    for note in notes {
        for (index, line) in
            notice::wrap(note.as_str(), usize::from(area.width.saturating_sub(4))).into_iter().enumerate()
        {
            let mark = if index == 0 { "!" } else { " " };
            canvas.put(area, row, 1, &format!("{mark} {line}"), canvas.theme.warn);
            row += 1;
        }
    }
    row
}

fn connection(agent: &Agent, now: Duration, theme: &Theme) -> Vec<Entry> {
    let mut entries = vec![("address", agent.label.to_string(), theme.text)];
    match &agent.link {
        Link::Connecting => entries.push(("state", "not answered yet".to_owned(), theme.label)),
        Link::Saved => entries.push(("state", "read from a file".to_owned(), theme.label)),
        Link::Up => {
            entries.push(("state", "answering".to_owned(), theme.good));
            let micros = u64::try_from(agent.round_trip.as_micros()).unwrap_or(u64::MAX);
            entries.push(("round trip", format::microseconds(micros), theme.text));
        }
        Link::Down { error, since, attempts, .. } => {
            entries.push(("state", error.to_string(), theme.bad));
            entries.push(("since", format::age(now.saturating_sub(*since)), theme.bad));
            entries.push(("attempts", attempts.to_string(), theme.text));
        }
    }
    if let (Some(age), Link::Down { .. }) = (agent.age(now), &agent.link) {
        entries.push(("last answer", format!("{} ago", format::age(age)), theme.text));
    }
    entries
}

/// A line of the ledger: how deep in the tree, what, how many, of how many, and whether any is bad.
struct Item {
    branch: &'static str,
    label: &'static str,
    count: u64,
    whole: u64,
    loss: bool,
}

fn items(ledger: &Ledger) -> [Item; 11] {
    let meant = ledger.dns_packets;
    let item = |branch, label, count, whole| Item { branch, label, count, whole, loss: false };
    [
        item("", "seen", ledger.seen, ledger.seen),
        item("├ ", "filtered", ledger.filtered, ledger.seen),
        item("└ ", "counted", ledger.counted, ledger.seen),
        item("  └ ", "DNS packets", ledger.dns_packets, ledger.counted),
        item("    ├ ", "not chosen", ledger.not_chosen, meant),
        Item { loss: true, ..item("    ├ ", "lost", ledger.lost, meant) },
        item("    ├ ", "on its way", ledger.pending, meant),
        item("    └ ", "delivered", ledger.delivered, meant),
        item("      ├ ", "analysed", ledger.analysed, ledger.delivered),
        item("      ├ ", "malformed", ledger.malformed, ledger.delivered),
        item("      └ ", "no message", ledger.without_message, ledger.delivered),
    ]
}

/// Where every packet went since the agent's start; and whether the terms add up.
fn draw_ledger(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent) -> u16 {
    let theme = canvas.theme;
    let Some(ledger) = agent.info.as_ref().and_then(|info| info.ledger) else {
        canvas.title(area, "Ledger", "", theme.text);
        canvas.put(area, 1, 1, "not told by this agent", theme.label);
        return 2;
    };
    canvas.title(area, "Ledger", "packets since start", theme.text);
    let mut row = 1;
    for item in items(&ledger) {
        let share = format::share(item.count, item.whole);
        let style = if item.loss { theme.health(Health::of_loss(share)) } else { theme.value };
        canvas.put(area, row, 1, item.branch, theme.label);
        let column = 1 + u16::try_from(item.branch.chars().count()).unwrap_or(0);
        canvas.put(area, row, column, item.label, theme.text);
        canvas.right(area, row, 33, &ledger_number(item.count), style);
        canvas.right(area, row, 39, &format::percent(share), theme.text);
        let room = usize::from(area.width.saturating_sub(42)).min(40);
        if room >= 4 {
            canvas.put(area, row, 41, &chart::bar(item.count, item.whole, room), theme.bar);
        }
        row += 1;
    }
    canvas.put(area, row, 1, "DNS messages", theme.text);
    canvas.right(area, row, 33, &ledger_number(ledger.messages), theme.value);
    row += 1;
    let difference = imbalance(&ledger);
    if difference == 0 {
        canvas.put(area, row, 1, "every packet is accounted for", theme.good);
    } else {
        let text = format!("{} packets are unaccounted for", format::count(difference));
        canvas.put(area, row, 1, &text, theme.warn);
    }
    row + 1
}

fn ledger_number(value: u64) -> String {
    let exact = format::exact(value);
    if exact.len() <= 13 { exact } else { format::count(value) }
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

fn reassembly(agent: &Agent, theme: &Theme) -> Vec<Entry> {
    let Some(window) = agent.window.as_ref().filter(|window| window.ours) else {
        return vec![("", "not told by this agent".to_owned(), theme.label)];
    };
    let reassembly = &window.dns.reassembly;
    let number = |label, value| (label, format::exact(value), theme.text);
    vec![
        number("TCP unsync.", reassembly.unsynchronised),
        number("TCP gaps", reassembly.gaps),
        number("TCP evicted", reassembly.streams_evicted),
        number("IP incomplete", reassembly.datagrams_incomplete),
        number("IP evicted", reassembly.datagrams_evicted),
        number("xacts shed", window.dns.xact.counts.shed),
        number("IP unidentified", reassembly.datagrams_unidentified),
        number("IP malformed", reassembly.fragments_malformed),
    ]
}
