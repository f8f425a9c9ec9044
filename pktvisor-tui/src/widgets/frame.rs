//! What surrounds every page: tabs and state above, what is shown below them, keys at the bottom.

use std::time::Duration;

use ratatui::{layout::Rect, style::Style};
use unicode_width::UnicodeWidthStr;

use super::Canvas;
use crate::{
    app::{App, Hit, Page},
    format,
    model::{Agent, Keep, Link, Observation, Standing, fit},
};

/// Rows above the page.
pub const HEADER: u16 = 2;
/// Rows below it.
pub const FOOTER: u16 = 1;

/// Draws the two rows above the page.
pub fn header(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let (badge, style) = badge(app, canvas);
    let badge_width = u16::try_from(badge.width()).unwrap_or(area.width).min(area.width);
    tabs(canvas, Rect { width: area.width.saturating_sub(badge_width + 1), ..area }, app.page);
    canvas.right(area, 0, area.width, &badge, style);
    if area.height < 2 {
        return;
    }
    let Some(agent) = app.agent() else { return };
    match trouble(agent, app.now(), app.paused_for().is_some()) {
        Some(trouble) => {
            canvas.text(area, 1, &format!(" {trouble}"), canvas.theme.bad);
        }
        None => subject(canvas, area, app, agent),
    }
}

fn tabs(canvas: &mut Canvas<'_>, area: Rect, current: Page) {
    let brand = " pktvisor ";
    canvas.text(area, 0, brand, canvas.theme.value);
    let mut column = if area.width > 56 { 11 } else { 0 };
    for (number, page) in (1..).zip(Page::ALL) {
        let label = if area.width > 56 || (page == current && area.width > 20) {
            format!("{number} {}", page.name())
        } else {
            number.to_string()
        };
        let style = if page == current { canvas.theme.accent } else { canvas.theme.label };
        let width = u16::try_from(label.width()).unwrap_or(0);
        canvas.put(area, 0, column, &format!("{label} "), style);
        canvas.hit(Rect { x: area.x + column, width, height: 1, ..area }, Hit::Page(page));
        column += width + 2;
    }
}

/// The state in the corner: a mark, a word, and how old the data is. Padded, so that nothing shifts as it ages.
fn badge(app: &App, canvas: &Canvas<'_>) -> (String, Style) {
    let theme = canvas.theme;
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

/// Why the data is old, and what happens next.
pub fn trouble(agent: &Agent, now: Duration, paused: bool) -> Option<String> {
    match (&agent.link, agent.age(now)) {
        (Link::Down { error, retry_at, .. }, _) => {
            let next = match retry_at.saturating_sub(now).as_secs() {
                _ if paused => String::new(),
                0 => "; asking again".to_owned(),
                seconds => format!("; next try in {seconds}s"),
            };
            Some(format!("{}: {error}{next}", agent.label))
        }
        (Link::Up, Some(age)) if age.as_secs() > 4 && !paused => {
            Some(format!("{}: no answer for {}", agent.label, format::age(age)))
        }
        _ => None,
    }
}

/// Which agent, what it captures, and which minutes are on the screen.
fn subject(canvas: &mut Canvas<'_>, area: Rect, app: &App, agent: &Agent) {
    let mut right = String::new();
    if let Some(window) = &agent.window {
        right = format!("{} ", span(window));
        let analysed = window.analysed_share();
        if analysed < 0.9995 {
            right = format!("analysed {} · {right}", format::percent(Some(analysed)));
        }
    }
    let right_width = u16::try_from(right.width()).unwrap_or(area.width);
    let room = usize::from(area.width.saturating_sub(right_width.saturating_add(3)));
    let mut left = agent.label.as_str().to_owned();
    if app.agents().len() > 1 {
        left = format!("{}/{} {left}", app.selected() + 1, app.agents().len());
    }
    if let Some(capture) = agent.capture() {
        // Of a path, its end says more than its beginning.
        let target = capture.target.as_str();
        let target = target.rsplit('/').next().unwrap_or(target);
        left = format!("{left} · {target} {}", capture.mode);
        if let Some(hook) = &capture.hook {
            left = format!("{left}/{hook}");
        }
    } else if agent.window.is_some() && !agent.is_ours() {
        let version = agent.info.as_ref().map(|info| info.version.as_str()).filter(|v| !v.is_empty());
        left = match version {
            Some(version) => format!("{left} · older agent {version}"),
            None => format!("{left} · older agent"),
        };
    }
    canvas.put(area, 1, 1, &fit(&left, room, Keep::Head), canvas.theme.text);
    canvas.right(area, 1, area.width, &right, canvas.theme.label);
}

/// The minutes of an observation: `last 5m 03:41:00–03:45:37 UTC 277s`.
pub fn span(window: &Observation) -> String {
    let start = window.span.start_ts;
    let end = start.saturating_add(window.span.length);
    let length = format::age(Duration::from_secs(window.span.length.try_into().unwrap_or(0)));
    format!(
        "{} {} {}–{} UTC {length:>6}",
        window.name,
        format::date(start),
        format::time_of_day(start),
        format::time_of_day(end),
    )
}

/// Draws the key line: what is chosen at the left while it matters, keys otherwise.
pub fn footer(canvas: &mut Canvas<'_>, area: Rect, app: &App) {
    let mut column = 1;
    if app.typing {
        let text = format!("/{}▏", app.filter);
        canvas.put(area, 0, column, &text, canvas.theme.accent);
        let hint = "Enter keep  Esc drop ";
        if text.width() + hint.width() + 3 < usize::from(area.width) {
            canvas.right(area, 0, area.width, hint, canvas.theme.label);
        }
        return;
    }
    if !app.filter.is_empty() {
        let text = format!("/{}  ", app.filter);
        canvas.put(area, 0, column, &text, canvas.theme.accent);
        column += u16::try_from(text.width()).unwrap_or(0);
    }
    for (key, word) in keys(app) {
        let width = u16::try_from(key.width() + word.width() + 3).unwrap_or(0);
        if column + width > area.width + 2 {
            return;
        }
        canvas.put(area, 0, column, key, canvas.theme.value);
        let word_column = column + u16::try_from(key.width()).unwrap_or(0) + 1;
        canvas.put(area, 0, word_column, word, canvas.theme.label);
        column += width;
    }
}

/// Keys of the moment, the ones that are needed most in front: a narrow screen shows only those.
fn keys(app: &App) -> Vec<(&'static str, &'static str)> {
    if app.help.is_some() {
        return vec![("Esc", "close"), ("↑↓", "scroll"), ("q", "quit")];
    }
    let mut keys = vec![("q", "quit"), ("?", "help")];
    match (app.page, app.zoom) {
        (Page::Fleet, _) => keys.extend([("↑↓", "agent"), ("Enter", "look into"), ("s", "sort")]),
        (Page::Agent, _) => {}
        (_, Some(_)) => keys.extend([("Esc", "back"), ("↑↓", "row"), ("←→", "list"), ("s", "sort")]),
        (_, None) => keys.extend([("↑↓←→", "list"), ("Enter", "zoom"), ("s", "sort")]),
    }
    keys.extend([
        ("/", "filter"),
        ("w", "window"),
        ("p", if app.paused_for().is_some() { "go on" } else { "pause" }),
    ]);
    if app.agents().len() > 1 {
        keys.push(("n", "next agent"));
    }
    keys
}
