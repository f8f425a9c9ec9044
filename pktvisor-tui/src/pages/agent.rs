//! The agent itself: what it captures and how, where every packet went, and the connection to it.

use std::time::Duration;

use pktvisor_api::Ledger;
use ratatui::{layout::Rect, style::Style};

use super::split_left;
use crate::{
    app::App,
    format,
    model::{Agent, Capture, Health, Interface, Keep, Link, Printable, fit},
    theme::Theme,
    widgets::{Canvas, chart, notice},
};

/// A labelled text.
type Entry = (&'static str, String, Style);

/// Entries under a title.
struct Section {
    title: &'static str,
    entries: Vec<Entry>,
}

/// Columns from which on the ledger stands beside the rest.
const BESIDE_WIDTH_MIN: u16 = 79;
/// Columns that the ledger needs.
const LEDGER_WIDTH: u16 = 39;
/// Where the texts of entries begin.
const TEXT_COLUMN: u16 = 20;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let Some(agent) = app.agent() else { return };
    if agent.info.is_none() && agent.window.is_none() {
        return super::nothing_yet(canvas, area, app);
    }
    let beside = area.width >= BESIDE_WIDTH_MIN;
    let left_width =
        if beside { (area.width / 2).min(area.width - LEDGER_WIDTH).max(40) } else { area.width };
    let theme = *canvas.theme;
    let notes_width = usize::from(left_width.saturating_sub(5));
    let mut capture_entries = capture(agent, &theme);
    capture_entries.extend(notes(agent, notes_width, &theme));
    let about_it = [
        Section { title: "Agent", entries: about(agent, room_of(left_width - 1), &theme) },
        Section { title: "Capture", entries: capture_entries },
        Section { title: "Connection", entries: connection(agent, app.now(), &theme) },
    ];
    let right_width = if beside { area.width - left_width } else { area.width };
    let given_up = reassembly(agent, room_of(right_width), &theme);
    let given_up = [Section { title: "Given up in reassembly", entries: given_up }];
    let (left_height, ledger_height) = (height(&about_it), ledger_height(agent));
    let right_height = ledger_height + 1 + height(&given_up);
    let all = if beside { left_height.max(right_height) } else { left_height + 1 + right_height };
    canvas.scrolled(area, all, app.scroll, |canvas, area| {
        let (left, right) = if beside {
            let (left, right) = split_left(area, left_width);
            (Rect { width: left.width.saturating_sub(1), ..left }, right)
        } else {
            super::split_top(area, left_height + 1)
        };
        draw_sections(canvas, left, &about_it);
        draw_ledger(canvas, right, agent);
        draw_sections(canvas, super::split_top(right, ledger_height + 1).1, &given_up);
    });
}

/// Columns of the text of an entry.
fn room_of(width: u16) -> usize {
    usize::from(width.saturating_sub(TEXT_COLUMN + 1))
}

/// Rows of sections, with a blank between two.
fn height(sections: &[Section]) -> u16 {
    let rows: usize = sections.iter().map(|section| section.entries.len() + 2).sum();
    u16::try_from(rows.saturating_sub(1)).unwrap_or(u16::MAX)
}

fn draw_sections(canvas: &mut Canvas<'_>, area: Rect, sections: &[Section]) {
    let mut area = area;
    for Section { title, entries } in sections {
        canvas.title(area, title, &[], canvas.theme.text);
        let mut line = 1;
        for (label, text, style) in entries {
            canvas.put(area, line, 1, label, canvas.theme.label);
            let column = if label.is_empty() { 1 } else { TEXT_COLUMN };
            let room = room_of(area.width) + usize::from(TEXT_COLUMN - column);
            canvas.put(area, line, column, &fit(text, room, Keep::of_address(text)), *style);
            line += 1;
        }
        area = super::split_top(area, line + 1).1;
    }
}

fn about(agent: &Agent, room: usize, theme: &Theme) -> Vec<Entry> {
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
        let open = format::exact_within(info.open_transactions, room);
        entries.push(("open transactions", open, theme.text));
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
    let Capture { target, mode, is_file: _, hook, zero_copy, interfaces, link_types, finished, notes: _ } =
        capture;
    let mut entries =
        vec![("target", target.to_string(), theme.value), ("mode", mode.to_string(), theme.value)];
    if let Some(hook) = hook {
        entries.push(("hook", hook.to_string(), theme.text));
    }
    if let Some(zero_copy) = zero_copy {
        entries.push(("zero copy", if *zero_copy { "yes" } else { "no" }.to_owned(), theme.text));
    }
    entries.extend(interfaces.iter().take(INTERFACES_MAX).map(|it| interface(it, theme)));
    if interfaces.len() > INTERFACES_MAX {
        entries.push(("", format!("and {} interfaces more", interfaces.len() - INTERFACES_MAX), theme.label));
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

/// Interfaces shown, those that are not up in front.
const INTERFACES_MAX: usize = 8;

/// An interface, where its packets are seen, and its state.
fn interface(interface: &Interface, theme: &Theme) -> Entry {
    let Interface { name, hooks, state } = interface;
    let style = match state.as_str() {
        "up" => theme.good,
        _ if interface.is_away() => theme.bad,
        _ => theme.text,
    };
    // The state first: it is short, and matters most where there is little room.
    let parts = [state, name, hooks].map(Printable::as_str);
    let text: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    ("interface", text.join(" · "), style)
}

/// Notes as lines of at most `width` columns.
fn notes(agent: &Agent, width: usize, theme: &Theme) -> Vec<Entry> {
    let notes = agent.capture().map_or(&[][..], |capture| capture.notes.as_slice());
    let mut entries = Vec::new();
    for note in notes {
        for (index, line) in notice::wrap(note.as_str(), width).into_iter().enumerate() {
            let mark = if index == 0 { "!" } else { " " };
            entries.push(("", format!("{mark} {line}"), theme.warn));
        }
    }
    entries
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

/// Rows of [`draw_ledger`]: title, items, messages, balance.
fn ledger_height(agent: &Agent) -> u16 {
    if agent.info.as_ref().is_some_and(|info| info.ledger.is_some()) { 14 } else { 2 }
}

/// Where every packet went since the agent's start; and whether the terms add up.
fn draw_ledger(canvas: &mut Canvas<'_>, area: Rect, agent: &Agent) {
    let theme = canvas.theme;
    let Some(ledger) = agent.info.as_ref().and_then(|info| info.ledger) else {
        canvas.title(area, "Ledger", &[], theme.text);
        canvas.put(area, 1, 1, "not told by this agent", theme.label);
        return;
    };
    canvas.title(area, "Ledger", &["packets since start"], theme.text);
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

fn reassembly(agent: &Agent, room: usize, theme: &Theme) -> Vec<Entry> {
    let Some(window) = agent.window.as_ref().filter(|window| window.ours) else {
        return vec![("", "not told by this agent".to_owned(), theme.label)];
    };
    let reassembly = &window.dns.reassembly;
    let number = |label, value| (label, format::exact_within(value, room), theme.text);
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
