//! The pages: pure functions from [`UiState`] to cells. The same state draws the same screen.

mod agent;
mod charts;
mod dns;
mod findings;
mod fleet;
mod focus;
mod frame;
mod help;
mod ledger;
mod network;
mod overview;
mod panels;
mod sides;
mod tabs;
mod tiles;
mod zones;
mod zoom;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
};

use self::frame::{PageFooter, PageHeader};
use crate::{
    app::{Page, Regions, UiState},
    model::{AgentLink, Observation, QueryDirection},
    widgets::{Canvas, list_grid::ListGrid, notice::Notice},
};

/// Draws the whole screen.
pub fn draw(buffer: &mut Buffer, area: Rect, app: &UiState) -> Regions {
    let mut regions = Regions::default();
    let mut canvas = Canvas::new(buffer, &app.theme, &mut regions);
    if let Some(text) = too_small(area) {
        canvas.put(area, 0, 0, &text, app.theme.warn);
        return regions;
    }
    let rows = [
        Constraint::Length(frame::HEADER),
        Constraint::Length(findings::line_height(app).max(focus::line_height(app))),
        Constraint::Fill(1),
        Constraint::Length(frame::FOOTER),
    ];
    let [header, line, body, footer] = area.layout(&Layout::vertical(rows));
    canvas.render(PageHeader { app }, header);
    match app.focus_model().filter(|_| app.page != Page::Fleet) {
        Some(focus) => focus::draw_line(&mut canvas, line, focus),
        None => findings::draw_line(&mut canvas, line, app),
    }
    draw_body(&mut canvas, body, app);
    canvas.render(PageFooter { app }, footer);
    regions
}

/// The smallest screen on which pages can be read.
const WIDTH_MIN: u16 = 40;
/// See [`WIDTH_MIN`].
const HEIGHT_MIN: u16 = 8;

fn too_small(area: Rect) -> Option<String> {
    if area.width < WIDTH_MIN {
        Some(format!("too narrow: {WIDTH_MIN} columns needed"))
    } else if area.height < HEIGHT_MIN {
        Some(format!("too low: {HEIGHT_MIN} rows needed"))
    } else {
        None
    }
}

fn draw_body(canvas: &mut Canvas<'_>, area: Rect, app: &UiState) {
    if let Some(line) = app.help {
        return help::draw(canvas, area, line);
    }
    if let Some(cursor) = app.findings_cursor {
        return findings::draw(canvas, area, app, cursor);
    }
    match app.page {
        Page::Fleet => return fleet::draw(canvas, area, app),
        Page::Agent => return agent::draw(canvas, area, app),
        Page::Overview | Page::Dns | Page::Clients | Page::Servers | Page::Zones | Page::Network => {}
    }
    if let Some(error) = app.focus_model().and_then(|focus| focus.error.as_ref()) {
        return focus::draw_refusal(canvas, area, error);
    }
    let Some(window) = app.agent().and_then(|agent| agent.window.as_ref()) else {
        return nothing_yet(canvas, area, app);
    };
    match (app.zoom, app.page) {
        (Some(zoom), _) => zoom::draw(canvas, area, app, app.observation().unwrap_or(window), zoom),
        (None, Page::Dns) => dns::draw(canvas, area, app, window),
        (None, Page::Clients) => sides::draw(canvas, area, app, window, QueryDirection::In),
        (None, Page::Servers) => sides::draw(canvas, area, app, window, QueryDirection::Out),
        (None, Page::Zones) => zones::draw(canvas, area, app, window),
        (None, Page::Network) => network::draw(canvas, area, app, window),
        (None, _) => overview::draw(canvas, area, app, window),
    }
}

/// No answer so far: the reason, and the next steps.
fn nothing_yet(canvas: &mut Canvas<'_>, area: Rect, app: &UiState) {
    let theme = canvas.theme;
    let Some(agent) = app.agent() else { return };
    let lines = match &agent.link {
        AgentLink::Down { error, attempts, .. } => vec![
            (format!("No answer from {}", agent.label), theme.bad),
            (error.as_str().to_owned(), theme.text),
            (String::new(), theme.text),
            (format!("Attempt {attempts}; it is asked again until it answers. r asks now."), theme.label),
            (
                "Is pktvisord running there? It listens on localhost port 10853 by default:".to_owned(),
                theme.label,
            ),
            ("    pktvisord -l HOST -p PORT eth0".to_owned(), theme.text),
            ("    pktvisor -H HOST -p PORT".to_owned(), theme.text),
        ],
        _ => vec![(format!("Asking {} ...", agent.label), theme.label)],
    };
    canvas.render(Notice { lines: &lines, theme }, area);
}

/// Draws the lists of a page in its remaining area.
fn draw_lists(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation) {
    let lists = ListGrid {
        kinds: &app.lists(),
        observation: window,
        filter: &app.filter,
        sorts: &app.sorts,
        focus: app.focus(),
        theme: canvas.theme,
    };
    canvas.render(lists, area);
}
