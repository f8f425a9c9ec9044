//! The areas of the drawn frame, for keys and mouse.

use ratatui::layout::{Position, Rect};

use super::Page;

/// The target of a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The tab of a page.
    Page(Page),
    /// A list, by its place among the lists of the page.
    List(usize),
    /// A row of the zoomed list.
    Row(usize),
    /// The line of findings.
    Findings,
    /// An agent, by its place in the fleet.
    Agent(usize),
}

/// A text or a chart and its area, without blanks at its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its area.
    pub area: Rect,
    /// The text as drawn; empty for a chart.
    pub text: String,
}

/// The areas of a drawn frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    hits: Vec<(Rect, Hit)>,
    /// Lists beside each other: "down" moves by so many.
    pub columns: usize,
    /// The last line that can be scrolled to the top; `None` for pages that do not scroll.
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
    /// Adds a target; later ones lie above earlier ones.
    pub(crate) fn add(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// The target at a place.
    pub fn at(&self, column: u16, row: u16) -> Option<Hit> {
        let position = Position::new(column, row);
        self.hits.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, hit)| *hit)
    }
}
