//! The agent itself: its capture, its ledger, and the connection to it.

use std::time::Duration;

use ratatui::{
    layout::{Constraint, Layout, Rect},
    style::Style,
};

use pktvisor_api::{SandboxInfo, SandboxState};

use super::ledger;
use crate::{
    app::UiState,
    format,
    model::{AgentLink, AgentModel, CaptureState, KeptEnd, Printable, WatchedInterface, fit},
    theme::Theme,
    widgets::{
        Canvas,
        grid::split_top,
        heading::Heading,
        notice,
        number_table::{Column, NumberTable, TableRow, cell},
    },
};

/// A labelled text.
type SectionEntry = (&'static str, String, Style);

/// Entries under a title.
struct PageSection {
    title: &'static str,
    entries: Vec<SectionEntry>,
}

/// Columns from which on the ledger stands beside the rest.
const BESIDE_WIDTH_MIN: u16 = 79;
/// Where the texts of entries begin.
const TEXT_COLUMN: u16 = 20;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState) {
    let Some(agent) = app.agent() else { return };
    if agent.info.is_none() && agent.window.is_none() {
        return super::nothing_yet(canvas, area, app);
    }
    let beside = area.width >= BESIDE_WIDTH_MIN;
    let left_width =
        if beside { (area.width / 2).min(area.width - ledger::WIDTH).max(40) } else { area.width };
    let theme = *canvas.theme;
    let notes_width = usize::from(left_width.saturating_sub(5));
    let mut capture_entries = capture(agent, &theme);
    capture_entries.extend(notes(agent, notes_width, &theme));
    let about_it = [
        PageSection { title: "Agent", entries: about(agent, room_of(left_width - 1), &theme) },
        PageSection { title: "Capture", entries: capture_entries },
        PageSection { title: "Connection", entries: connection(agent, app.now(), &theme) },
    ];
    let right_width = if beside { area.width - left_width } else { area.width };
    let given_up = reassembly(agent, room_of(right_width), &theme);
    let lost = losses(agent, room_of(right_width), &theme);
    let given_up = [
        PageSection { title: "Lost by cause", entries: lost },
        PageSection { title: "Given up in reassembly", entries: given_up },
    ];
    let (left_height, ledger_height) = (height(&about_it), ledger::height(agent));
    let right_height = ledger_height + 1 + height(&given_up);
    let all = if beside { left_height.max(right_height) } else { left_height + 1 + right_height };
    canvas.scrolled(area, all, app.scroll, |canvas, area| {
        let (left, right) = if beside {
            let columns = [Constraint::Length(left_width.saturating_sub(1)), Constraint::Fill(1)];
            area.layout::<2>(&Layout::horizontal(columns).spacing(1)).into()
        } else {
            split_top(area, left_height + 1)
        };
        draw_sections(canvas, left, &about_it);
        ledger::draw(canvas, right, agent);
        draw_sections(canvas, split_top(right, ledger_height + 1).1, &given_up);
    });
}

/// Columns of the text of an entry.
fn room_of(width: u16) -> usize {
    usize::from(width.saturating_sub(TEXT_COLUMN + 1))
}

/// Rows of sections, with a blank between two.
fn height(sections: &[PageSection]) -> u16 {
    let rows: usize = sections.iter().map(|section| section.entries.len() + 2).sum();
    u16::try_from(rows.saturating_sub(1)).unwrap_or(u16::MAX)
}

fn draw_sections(canvas: &mut Canvas<'_>, area: Rect, sections: &[PageSection]) {
    let theme = canvas.theme;
    let columns = [Column::Blank(1), Column::Text(TEXT_COLUMN - 1), Column::Text(area.width)];
    let room = room_of(area.width);
    let row = |(label, text, style): &SectionEntry| -> TableRow<'static> {
        let room = if label.is_empty() { room + usize::from(TEXT_COLUMN - 1) } else { room };
        let text = cell(fit(text, room, KeptEnd::of_address(text)), *style);
        if label.is_empty() {
            return [text].into_iter().collect();
        }
        [cell(*label, theme.label), text].into_iter().collect()
    };
    let mut rest = area;
    for PageSection { title, entries } in sections {
        let (heading, body) = split_top(rest, 1);
        canvas.render(Heading { title, remarks: &[], style: theme.text, theme }, heading);
        let (table, below) = split_top(body, u16::try_from(entries.len()).unwrap_or(u16::MAX));
        canvas.render(NumberTable::new(&columns, entries.iter().map(row).collect(), theme), table);
        rest = split_top(below, 1).1;
    }
}

fn about(agent: &AgentModel, room: usize, theme: &Theme) -> Vec<SectionEntry> {
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
        if let Some(now) = info.deep_sample_rate_now_pct {
            let lowered = now < info.deep_sample_rate_pct as f64;
            let style = if lowered { theme.warn } else { theme.text };
            entries.push(("sampling now", format::percent(Some(now / 100.0)), style));
        }
        entries.extend(info.sandbox.map(|sandbox| self::sandbox(sandbox, theme)));
        let open = format::exact_within(info.open_transactions, room);
        entries.push(("open transactions", open, theme.text));
        entries.push(("waiting over 1 s", format::exact_within(info.waiting, room), theme.text));
    }
    if let Some(window) = &agent.window {
        entries.push(("analysed", format::percent(Some(window.analysed_share())), theme.text));
    }
    entries
}

/// What the kernel keeps the agent's process from doing.
fn sandbox(sandbox: SandboxInfo, theme: &Theme) -> SectionEntry {
    let SandboxInfo { files, connections, system_calls } = sandbox;
    let parts = [("files", files), ("connections", connections), ("system calls", system_calls)];
    let named = |is_wanted: fn(SandboxState) -> bool| {
        let wanted = parts.iter().filter(|(_, state)| is_wanted(*state)).map(|(name, _)| *name);
        wanted.collect::<Vec<_>>().join(", ")
    };
    let restricted = named(|state| matches!(state, SandboxState::Enforced | SandboxState::Partial));
    let (text, style) = match named(|state| state == SandboxState::Unavailable) {
        _ if restricted.is_empty() => ("off".to_owned(), theme.warn),
        missing if missing.is_empty() => (restricted, theme.text),
        missing => (format!("{restricted}; not {missing}"), theme.text),
    };
    ("sandbox", text, style)
}

fn capture(agent: &AgentModel, theme: &Theme) -> Vec<SectionEntry> {
    let Some(capture) = agent.capture() else {
        return vec![("", "not reported by this agent".to_owned(), theme.label)];
    };
    let CaptureState {
        target,
        mode,
        is_file: _,
        hook,
        zero_copy,
        interfaces,
        link_types,
        finished,
        notes: _,
    } = capture;
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
fn interface(interface: &WatchedInterface, theme: &Theme) -> SectionEntry {
    let WatchedInterface { name, hooks, reason, state } = interface;
    let style = match state.as_str() {
        "up" => theme.good,
        _ if interface.is_away() => theme.bad,
        _ => theme.text,
    };
    // The state first: it is short, and matters most where there is little room.
    let parts = [state, name, hooks, reason].map(Printable::as_str);
    let text: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    ("interface", text.join(" · "), style)
}

/// Notes as lines of at most `width` columns.
fn notes(agent: &AgentModel, width: usize, theme: &Theme) -> Vec<SectionEntry> {
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

fn connection(agent: &AgentModel, now: Duration, theme: &Theme) -> Vec<SectionEntry> {
    let mut entries = vec![("address", agent.label.to_string(), theme.text)];
    match &agent.link {
        AgentLink::Connecting => entries.push(("state", "not answered yet".to_owned(), theme.label)),
        AgentLink::Saved => entries.push(("state", "read from a file".to_owned(), theme.label)),
        AgentLink::Up => {
            entries.push(("state", "answering".to_owned(), theme.good));
            let micros = u64::try_from(agent.round_trip.as_micros()).unwrap_or(u64::MAX);
            entries.push(("round trip", format::microseconds(micros), theme.text));
        }
        AgentLink::Down { error, since, attempts, .. } => {
            entries.push(("state", error.to_string(), theme.bad));
            entries.push(("since", format::age(now.saturating_sub(*since)), theme.bad));
            entries.push(("attempts", attempts.to_string(), theme.text));
        }
    }
    if let (Some(age), AgentLink::Down { .. }) = (agent.age(now), &agent.link) {
        entries.push(("last answer", format!("{} ago", format::age(age)), theme.text));
    }
    entries
}

/// Lost packets by cause. Only the first four were counted, and are the `lost` of the ledger.
fn losses(agent: &AgentModel, room: usize, theme: &Theme) -> Vec<SectionEntry> {
    let Some(losses) = agent.info.as_ref().and_then(|info| info.losses) else {
        return vec![("", "not reported: a file, or an older agent".to_owned(), theme.label)];
    };
    let number = |label, value: u64| {
        let style = if value > 0 { theme.warn } else { theme.text };
        (label, format::exact_within(value, room), style)
    };
    vec![
        number("ring full", losses.ring_full),
        number("no socket", losses.no_socket),
        number("unreadable", losses.unreadable),
        number("AF_XDP full", losses.xsk_full),
        number("AF_PACKET full", losses.packet_socket),
        number("driver", losses.driver),
    ]
}

fn reassembly(agent: &AgentModel, room: usize, theme: &Theme) -> Vec<SectionEntry> {
    let Some(window) = agent.window.as_ref().filter(|window| window.ours) else {
        return vec![("", "not reported by this agent".to_owned(), theme.label)];
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
