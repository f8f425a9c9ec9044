//! What was drawn where: how the screen looks to keys and mouse.

use ratatui::layout::{Position, Rect};

use super::Page;

/// What is at a place of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The tab of a page.
    Page(Page),
    /// A list, by its place among the lists of the page.
    List(usize),
    /// A row of the zoomed list.
    Row(usize),
    /// An agent, by its place in the fleet.
    Agent(usize),
}

/// A text or a chart and its place, blanks at its ends left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Where it is.
    pub area: Rect,
    /// The text as drawn; empty for a chart.
    pub text: String,
}

/// What the drawn frame looks like to keys and mouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    hits: Vec<(Rect, Hit)>,
    /// Lists beside each other: what "down" means in a grid.
    pub columns: usize,
    /// How far a page that is longer than the screen can be scrolled; `None` for pages that do not scroll.
    pub scroll_max: Option<u16>,
    /// Everything drawn, recorded by debug builds only: tests check that no text covers another.
    pub drawn: Vec<Drawn>,
}

impl Default for Regions {
    fn default() -> Self {
        Self { hits: Vec::new(), columns: 1, scroll_max: None, drawn: Vec::new() }
    }
}

impl Regions {
    /// Remembers what is in an area; what comes later lies above.
    pub(crate) fn add(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// What is at a place.
    pub fn at(&self, column: u16, row: u16) -> Option<Hit> {
        let position = Position::new(column, row);
        self.hits.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, hit)| *hit)
    }
}
