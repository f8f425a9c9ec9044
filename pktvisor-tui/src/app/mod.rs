//! The choices of the operator: page, window, filter, order, pause.
//!
//! [`UiState::handle`] is the only place where an [`Action`] changes it.

mod action;
mod focus;
mod keys;
mod offer;
mod page;
mod regions;
#[cfg(test)]
mod tests;
mod union;

use std::time::Duration;

pub use action::{Action, ActionOutcome};
pub use keys::{InputMode, KEYS, action_of_key, action_of_mouse};
pub use page::{FleetSort, Page};
pub use regions::{Drawn, Hit, Regions};

use crate::{
    client::{AskedWindow, PacketsUpdate, Wanted, WantedLists},
    model::{AgentModel, FleetModel, ListKind, Observation, Sorts, Standing},
    theme::Theme,
};

/// One list on the whole screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zoom {
    /// The list.
    pub list: ListKind,
    /// The row under the cursor.
    pub row: usize,
}

/// The data of a paused screen. New data keeps arriving behind it.
struct Frozen {
    at: Duration,
    agents: Vec<AgentModel>,
    fleet: Option<Box<FleetModel>>,
}

/// The state from which the screen is drawn.
pub struct UiState {
    /// The fleet, in the order given.
    agents: Vec<AgentModel>,
    /// Their union; `None` until it was on the screen.
    fleet: Option<Box<FleetModel>>,
    /// The agent that all pages except the fleet's show.
    selected: usize,
    /// The page.
    pub page: Page,
    focus: [Option<ListKind>; Page::ALL.len()],
    /// The list that fills the screen.
    pub zoom: Option<Zoom>,
    /// Only names that contain this.
    pub filter: String,
    /// Whether keys are typed into the filter.
    pub typing: bool,
    /// Order of each list.
    pub sorts: Sorts,
    /// Order of the fleet.
    pub fleet_sort: FleetSort,
    window: Option<AskedWindow>,
    frozen: Option<Frozen>,
    /// First line of help on the screen, if help is open.
    pub help: Option<u16>,
    /// The finding under the cursor, if all are listed.
    pub findings_cursor: Option<usize>,
    /// First line of the agent's page on the screen.
    pub scroll: u16,
    /// The file of packets that is being saved, or was saved last.
    pub packets: Option<PacketsUpdate>,
    /// Styles.
    pub theme: Theme,
    /// Time since the start.
    now: Duration,
    /// The areas of the last frame.
    pub regions: Regions,
}

impl UiState {
    /// A screen of agents, the fleet in front if there are several.
    pub fn new(agents: Vec<AgentModel>, window: Option<AskedWindow>, theme: Theme) -> Self {
        Self {
            page: if agents.len() > 1 { Page::Fleet } else { Page::Overview },
            agents,
            fleet: None,
            selected: 0,
            focus: [None; Page::ALL.len()],
            zoom: None,
            filter: String::new(),
            typing: false,
            sorts: Sorts::default(),
            fleet_sort: FleetSort::default(),
            window,
            frozen: None,
            help: None,
            findings_cursor: None,
            scroll: 0,
            packets: None,
            theme,
            now: Duration::ZERO,
            regions: Regions::default(),
        }
    }

    /// Sets the time.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
    }

    /// The time for ages: the time of the pause, while paused.
    pub fn now(&self) -> Duration {
        self.frozen.as_ref().map_or(self.now, |frozen| frozen.at)
    }

    /// How long the screen has been paused.
    pub fn paused_for(&self) -> Option<Duration> {
        self.frozen.as_ref().map(|frozen| self.now.saturating_sub(frozen.at))
    }

    /// The agents to show.
    pub fn agents(&self) -> &[AgentModel] {
        self.frozen.as_ref().map_or(&self.agents, |frozen| &frozen.agents)
    }

    /// The place of the selected agent.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The selected agent; while it is looked into, as if it had seen only what matches.
    pub fn agent(&self) -> Option<&AgentModel> {
        let agent = self.whole_agent()?;
        Some(agent.focus.as_ref().filter(|_| self.page != Page::Fleet).map_or(agent, |focus| &focus.agent))
    }

    /// The selected agent with all of its traffic.
    pub(super) fn whole_agent(&self) -> Option<&AgentModel> {
        self.agent_at(self.selected)
    }

    /// The period of the lists on the screen: a list that fills it is as long as the agent gives it.
    pub fn observation(&self) -> Option<&Observation> {
        let agent = self.agent()?;
        agent.long.as_ref().filter(|_| self.zoom.is_some()).or(agent.window.as_ref())
    }

    /// An agent with its current data, for updates.
    pub fn agent_mut(&mut self, index: usize) -> Option<&mut AgentModel> {
        self.agents.get_mut(index)
    }

    /// The lists of the page in their order: on the overview, those that say more about the worst
    /// finding come first.
    pub fn lists(&self) -> Vec<ListKind> {
        let finding = self.findings().first().filter(|_| self.page == Page::Overview);
        let mut lists = finding.map_or_else(Vec::new, |finding| finding.lists().to_vec());
        let others = self.page.lists().iter().filter(|list| !lists.contains(list));
        let others: Vec<ListKind> = others.copied().collect();
        lists.extend(others);
        lists
    }

    /// The place of the focused list of the page.
    pub fn focus(&self) -> usize {
        let focused = self.focused_list();
        self.lists().iter().position(|list| Some(*list) == focused).unwrap_or(0)
    }

    /// The focused list of the page: the first one, until another one is chosen.
    pub fn focused_list(&self) -> Option<ListKind> {
        let chosen = self.zoom.map(|zoom| zoom.list);
        let chosen = chosen.or_else(|| self.focus.get(self.page.index()).copied().flatten());
        chosen.or_else(|| self.lists().first().copied())
    }

    /// The data that the screen needs of an agent.
    pub fn wanted(&self, index: usize) -> Wanted {
        let in_detail = self.page != Page::Fleet && index == self.selected;
        let by_rate = || self.lists().iter().any(|list| self.sorts.of(*list).needs_rates());
        let lists = match self.zoom {
            Some(_) if in_detail => WantedLists::Long,
            None if in_detail && by_rate() => WantedLists::WithRates,
            _ => WantedLists::Short,
        };
        let focus = self.agents.get(index).filter(|_| in_detail).and_then(|agent| agent.focus.as_deref());
        let focus = focus.map(|focus| focus.filter.clone());
        Wanted { window: self.window, in_detail, lists, focus, in_union: self.shows_union() }
    }

    /// The places of the agents that match the filter, in the chosen order, and without a filter that of
    /// the whole fleet in front.
    pub fn fleet_order(&self) -> Vec<usize> {
        let agents = self.agents();
        let filter = self.filter.to_lowercase();
        let mut order: Vec<usize> = (0..agents.len())
            .filter(|index| {
                agents.get(*index).is_some_and(|a| a.label.as_str().to_lowercase().contains(&filter))
            })
            .collect();
        let now = self.now();
        // Descending; the sort is stable, so that equal agents stay in the order given.
        let key = |index: &usize| -> (u64, u64) {
            let Some(agent) = agents.get(*index) else { return (0, 0) };
            let window = agent.window.as_ref();
            let number = match self.fleet_sort {
                FleetSort::Given => 0,
                FleetSort::Queries => agent.queries_per_second().unwrap_or(0),
                FleetSort::Errors => {
                    window.and_then(|w| w.error_share()).map_or(0, |share| (share * 1e9) as u64)
                }
                FleetSort::Slowest => window.and_then(|w| w.p95_us()).unwrap_or(0),
                FleetSort::Packets => {
                    let (received, sent) = agent.packets_per_second();
                    received.unwrap_or(0).saturating_add(sent.unwrap_or(0))
                }
                FleetSort::State => agent.health(now) as u64,
            };
            // Absent agents come last in an order by numbers, and first in the order by state.
            let present = agent.standing(now) != Standing::Absent;
            (if self.fleet_sort == FleetSort::State { number } else { u64::from(present) }, number)
        };
        if self.fleet_sort != FleetSort::Given {
            order.sort_by_key(|index| std::cmp::Reverse(key(index)));
        }
        if filter.is_empty() && self.fleet().is_some() {
            order.insert(0, agents.len());
        }
        order
    }

    /// The rows of the zoomed list.
    fn zoomed_rows(&self) -> usize {
        match (self.focused_list(), self.observation()) {
            (Some(kind), Some(window)) => window.rows(kind, &self.filter, self.sorts.of(kind)).len(),
            _ => 0,
        }
    }
}
