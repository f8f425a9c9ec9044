//! What is asked for: zones and names, by what becomes of the questions.

use ratatui::layout::Rect;

use super::{
    draw_lists,
    tiles::{self, Tiles},
};
use crate::{
    app::UiState,
    model::Observation,
    widgets::{Canvas, grid::split_top},
};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let (strip, rest) = split_top(area, tiles::height(app, area));
    let tiles = Tiles::new(agent, window, &app.theme);
    let names = tiles.count_of_window("Names", window.dns.cardinality.qname);
    tiles.draw(
        canvas,
        strip,
        &[tiles.queries(), tiles.failed(), tiles.unanswered(), tiles.nxdomain(), names],
    );
    draw_lists(canvas, rest, app, window);
}
