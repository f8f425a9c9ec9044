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

/// What the drawn frame looks like to keys and mouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    hits: Vec<(Rect, Hit)>,
    /// Lists beside each other: what "down" means in a grid.
    pub columns: usize,
}

impl Default for Regions {
    fn default() -> Self {
        Self { hits: Vec::new(), columns: 1 }
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
