//! The frame of every page: tabs and state above, the agent and its minutes below them, keys at the
//! bottom.

use std::time::Duration;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::StatefulWidget,
};
use unicode_width::UnicodeWidthStr;

use super::tabs;
use crate::{
    app::{Page, Regions, UiState},
    client::PacketsUpdate,
    format,
    model::{AgentLink, AgentModel, KeptEnd, Printable, Standing, fit},
    theme::Theme,
    widgets::Canvas,
};

/// Rows above the page.
pub(super) const HEADER: u16 = 2;
/// Rows below it.
pub(super) const FOOTER: u16 = 1;

/// The two rows above the page.
pub(super) struct PageHeader<'a> {
    /// The state of the UI.
    pub(super) app: &'a UiState,
}

impl StatefulWidget for PageHeader<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let app = self.app;
        let canvas = &mut Canvas::new(buffer, &app.theme, regions);
        let [tabs, state] = area.layout(&Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]));
        let (badge, style) = badge(app);
        let badge_width = u16::try_from(badge.width()).unwrap_or(area.width).min(area.width);
        let columns = [Constraint::Fill(1), Constraint::Length(badge_width)];
        let [tabs, corner] = tabs.layout(&Layout::horizontal(columns).spacing(1));
        tabs::draw(canvas, tabs, app.page);
        canvas.right(corner, 0, corner.width, &badge, style);
        let Some(agent) = app.agent().filter(|_| !state.is_empty()) else { return };
        match trouble(agent, app.now(), app.paused_for()) {
            Some(trouble) => {
                let room = usize::from(state.width.saturating_sub(1));
                let text = trouble.iter().find(|text| text.width() <= room).or(trouble.last());
                canvas.put(state, 0, 1, text.map_or("", String::as_str), app.theme.bad);
            }
            None => draw_subject(canvas, state, app, agent),
        }
    }
}

/// The state in the corner: a mark, a word, and how old the data is. Padded, so that nothing shifts
/// as it ages.
fn badge(app: &UiState) -> (String, Style) {
    let theme = &app.theme;
    if let Some(paused) = app.paused_for() {
        return (format!("‖ paused {:>6} ", format::age(paused)), theme.warn);
    }
    let Some(agent) = app.agent() else { return ("no agent ".to_owned(), theme.label) };
    let age = format::age(agent.age(app.now()).unwrap_or_default());
    match agent.standing(app.now()) {
        Standing::Connecting => ("○ connecting ".to_owned(), theme.label),
        Standing::Live => ("● live ".to_owned(), theme.good),
        Standing::Finished => ("■ file read ".to_owned(), theme.good),
        Standing::Saved => ("■ saved ".to_owned(), theme.label),
        Standing::Stale => (format!("▲ stale {age:>6} "), theme.bad),
        Standing::Absent => ("✕ no agent ".to_owned(), theme.bad),
    }
}

/// Why the data is old, and the next step: the longest text first.
fn trouble(agent: &AgentModel, now: Duration, paused_for: Option<Duration>) -> Option<Vec<String>> {
    let paused = paused_for.is_some();
    match (&agent.link, agent.age(now)) {
        (AgentLink::Down { error, retry_at, .. }, _) => {
            let next = match retry_at.saturating_sub(now).as_secs() {
                _ if paused => String::new(),
                0 => "; asking again".to_owned(),
                seconds => format!("; next try in {seconds}s"),
            };
            let label = &agent.label;
            Some(vec![format!("{label}: {error}{next}"), format!("{label}: {error}"), error.to_string()])
        }
        (AgentLink::Up, Some(age)) if age.as_secs() > 4 && !paused => {
            let silence = format!("no answer for {}", format::age(age));
            Some(vec![format!("{}: {silence}", agent.label), silence])
        }
        _ => None,
    }
}

/// The agent, its capture, and the minutes on the screen. Interfaces that are not up come first.
fn draw_subject(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, agent: &AgentModel) {
    // Columns that the agent and its capture get before the minutes are said in full.
    const LEFT_WIDTH_MIN: usize = 20;
    let lefts = capture_of(app, agent);
    let left = lefts.last().map_or("", String::as_str);
    let trouble = agent.interface_trouble().map(|trouble| format!("▲ {trouble}"));
    let needed = left.width().min(LEFT_WIDTH_MIN) + trouble.as_ref().map_or(0, |trouble| trouble.width() + 2);
    let width = usize::from(area.width);
    let times = times(agent);
    let right = times.iter().find(|times| needed + times.width() + 4 <= width).map_or("", String::as_str);
    canvas.right(area, 0, area.width.saturating_sub(1), right, canvas.theme.label);
    let room = width.saturating_sub(if right.is_empty() { 2 } else { right.width() + 4 });
    let mut column = 1;
    if let Some(trouble) = trouble {
        let trouble = fit(&trouble, room, KeptEnd::Head);
        canvas.put(area, 0, column, &trouble, canvas.theme.bad);
        column += u16::try_from(trouble.width() + 2).unwrap_or(u16::MAX);
    }
    let room = room.saturating_sub(usize::from(column - 1));
    if room >= 4 {
        let left = lefts.iter().find(|left| left.width() <= room).map_or(left, String::as_str);
        canvas.put(area, 0, column, &fit(left, room, KeptEnd::of_address(left)), canvas.theme.text);
    }
}

/// The agent and its capture, the longest text first.
fn capture_of(app: &UiState, agent: &AgentModel) -> Vec<String> {
    let mut text = agent.label.as_str().to_owned();
    if app.agents().len() > 1 && !app.is_whole_fleet(app.selected()) {
        text = format!("{}/{} {text}", app.selected() + 1, app.agents().len());
    }
    if let Some(capture) = agent.capture() {
        // Of a path, its end says more than its beginning.
        let target = capture.target.as_str();
        let target = target.rsplit('/').next().unwrap_or(target);
        text = format!("{text} · {target} {}", capture.mode);
        if let Some(hook) = &capture.hook {
            text = format!("{text}/{hook}");
        }
    } else if agent.window.is_some() && !agent.is_ours() {
        let version = agent.info.as_ref().map(|info| info.version.as_str()).filter(|v| !v.is_empty());
        text = format!("{text} · older agent");
        if let Some(version) = version {
            return vec![format!("{text} {version}"), text];
        }
    }
    vec![text]
}

/// The minutes, and their analysed share, the longest text first.
fn times(agent: &AgentModel) -> Vec<String> {
    let Some(window) = &agent.window else { return Vec::new() };
    let share = window.analysed_share();
    let analysed = (share < 0.9995).then(|| format!("analysed {}", format::percent(Some(share))));
    let with = |span: String| match &analysed {
        Some(analysed) => format!("{analysed} · {span}"),
        None => span,
    };
    let start = window.span.start_ts;
    let from = format!("{} {} UTC", window.name, format::time_of_day(start));
    [with(window.span_text()), with(from), with(window.name.to_string())]
        .into_iter()
        .chain(analysed.clone())
        .collect()
}

/// The key line: the filter at the left while there is one, keys otherwise.
pub(super) struct PageFooter<'a> {
    /// The state of the UI.
    pub(super) app: &'a UiState,
}

impl StatefulWidget for PageFooter<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let app = self.app;
        let canvas = &mut Canvas::new(buffer, &app.theme, regions);
        if app.typing {
            return draw_filter_input(canvas, area, app);
        }
        if let Some(packets) = &app.packets {
            let (text, style) = packets_text(packets, &app.theme);
            return canvas.put(area, 0, 1, &text, style);
        }
        let mut line = Line::default();
        if !app.filter.is_empty() && app.can_filter() {
            let room = usize::from(area.width.saturating_sub(2));
            let text = fit(&format!("/{}", app.filter), room, KeptEnd::Head);
            line.push_span(Span::styled(text, app.theme.accent));
        }
        let scrolls = canvas.regions.scroll_max.is_some_and(|rows| rows > 0);
        for (key, word) in keys(app, scrolls) {
            let gap = if line.spans.is_empty() { "" } else { "  " };
            if 1 + line.width() + gap.len() + key.width() + 1 + word.width() > usize::from(area.width) {
                break;
            }
            let (key, word) = (Span::styled(key, app.theme.value), Span::styled(word, app.theme.label));
            line.extend([Span::raw(gap), key, Span::raw(" "), word]);
        }
        canvas.line(area, 0, 1, &line);
    }
}

/// What becomes of the packets that are saved.
fn packets_text(packets: &PacketsUpdate, theme: &Theme) -> (String, Style) {
    match packets {
        PacketsUpdate::Saving { file, bytes } => {
            (format!("saving packets for 30 s: {file} {} bytes", format::count(*bytes)), theme.accent)
        }
        PacketsUpdate::Saved { file, bytes } => {
            (format!("saved packets: {file} {} bytes", format::count(*bytes)), theme.good)
        }
        PacketsUpdate::Failed(why) => (format!("no packets: {}", Printable::new(why)), theme.bad),
    }
}

/// The filter while it is typed.
fn draw_filter_input(canvas: &mut Canvas<'_>, area: Rect, app: &UiState) {
    // Of a long filter, the end is where the next character goes.
    let text = fit(&format!("/{}▏", app.filter), usize::from(area.width.saturating_sub(2)), KeptEnd::Tail);
    canvas.put(area, 0, 1, &text, app.theme.accent);
    let hint = "Enter keep  Esc drop ";
    if text.width() + hint.width() + 3 < usize::from(area.width) {
        canvas.right(area, 0, area.width, hint, app.theme.label);
    }
}

/// Keys that do something at the moment, the ones that are needed most in front: a narrow screen
/// shows only those.
fn keys(app: &UiState, scrolls: bool) -> Vec<(&'static str, &'static str)> {
    if app.help.is_some() {
        return vec![("Esc", "close"), ("↑↓", "scroll"), ("q", "quit")];
    }
    let mut keys = vec![("q", "quit"), ("?", "help")];
    if app.findings_cursor.is_some() {
        let mut keys = vec![("Esc", "close"), ("↑↓", "finding")];
        if app.can_look_into() && app.filter_under_cursor().is_some() {
            keys.extend([("Enter", "look into"), ("c", "save packets")]);
        }
        keys.extend([("q", "quit"), ("?", "help")]);
        return keys;
    }
    match (app.page, app.zoom) {
        (Page::Fleet, _) => keys.extend([("↑↓", "agent"), ("Enter", "look into")]),
        _ if scrolls => keys.push(("↑↓", "scroll")),
        _ if !app.shows_lists() => {}
        (_, Some(_)) => {
            keys.extend([("Esc", "back"), ("↑↓", "row"), ("←→", "list")]);
            if app.can_look_into() && app.filter_under_cursor().is_some() {
                keys.extend([("Enter", "look into"), ("c", "packets")]);
            }
        }
        (_, None) => keys.extend([("↑↓←→", "list"), ("Enter", "zoom")]),
    }
    if app.focus_model().is_some() && app.page != Page::Fleet && app.zoom.is_none() {
        keys.extend([("Esc", "leave"), ("c", "packets")]);
    }
    if app.can_sort() {
        keys.push(("s", "sort"));
    }
    if app.can_filter() {
        keys.push(("/", "filter"));
    }
    if !app.findings().is_empty() {
        keys.insert(2, ("f", "findings"));
    }
    if app.can_change_window() {
        keys.push(("w", "window"));
    }
    keys.push(("p", if app.paused_for().is_some() { "go on" } else { "pause" }));
    if app.agents().len() > 1 {
        keys.push(("n", "next agent"));
    }
    keys
}
