//! The whole fleet as one more agent: it is merged while it is on the screen.

use super::{Page, UiState};
use crate::model::{AgentModel, FleetModel, Union, UnionPart};

impl UiState {
    /// The whole fleet, once it has been merged.
    pub fn fleet(&self) -> Option<&FleetModel> {
        self.frozen.as_ref().map_or(self.fleet.as_deref(), |frozen| frozen.fleet.as_deref())
    }

    /// The agent at a place of the fleet's order. Behind all agents is the whole fleet.
    pub fn agent_at(&self, place: usize) -> Option<&AgentModel> {
        let agents = self.agents();
        if self.is_whole_fleet(place) { self.fleet().map(|fleet| &fleet.agent) } else { agents.get(place) }
    }

    /// Whether this place is that of the whole fleet.
    pub fn is_whole_fleet(&self, place: usize) -> bool {
        place == self.agents().len() && self.fleet().is_some()
    }

    /// The number of places to select: one for each agent, and one for the whole fleet.
    pub(super) fn places(&self) -> usize {
        self.agents().len() + usize::from(self.fleet().is_some())
    }

    /// Whether the union of the agents is on the screen. One agent is its own union.
    pub fn shows_union(&self) -> bool {
        self.agents.len() > 1 && (self.page == Page::Fleet || self.is_whole_fleet(self.selected))
    }

    /// The parts of all agents in the union.
    pub fn union_parts(&self) -> Vec<UnionPart> {
        self.agents.iter().map(|agent| UnionPart::of(agent, self.now)).collect()
    }

    /// Takes a new union.
    pub fn update_fleet(&mut self, union: Union) {
        self.fleet.get_or_insert_default().update(union, &self.agents, self.now);
    }
}
