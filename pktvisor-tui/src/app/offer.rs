//! The actions that are possible now: the key line offers only these, and keys do only these.

use super::{Page, UiState};
use crate::model::{AgentLink, AgentModel, FindingRow, RatesGiven};

impl UiState {
    /// The findings of the agent on the screen.
    pub fn findings(&self) -> &[FindingRow] {
        self.agent().and_then(|agent| agent.findings.as_deref()).unwrap_or_default()
    }

    /// Whether the agent reports findings.
    pub fn has_findings(&self) -> bool {
        self.agent().is_some_and(|agent| agent.findings.is_some())
    }

    /// Whether lists can be sorted by rate: agents that serve single seconds serve the last ten, too.
    pub fn rates_given(&self) -> RatesGiven {
        let given = self.agent().is_some_and(|agent| agent.recent.is_some());
        if given { RatesGiven::Yes } else { RatesGiven::No }
    }

    /// Whether lists are on the screen.
    pub fn shows_lists(&self) -> bool {
        let has_data = self.agent().is_some_and(|agent| agent.window.is_some());
        self.help.is_none() && self.findings_cursor.is_none() && has_data && !self.lists().is_empty()
    }

    /// Whether there is something to sort on the screen.
    pub fn can_sort(&self) -> bool {
        self.shows_lists()
            || (self.page == Page::Fleet && self.help.is_none() && self.findings_cursor.is_none())
    }

    /// Whether there is something to filter on the screen.
    pub fn can_filter(&self) -> bool {
        self.can_sort()
    }

    /// Whether there is more than one window to choose from.
    pub fn can_change_window(&self) -> bool {
        self.windows().len() > 1
    }

    /// Windows to choose from, in periods, ascending: up to all that the agent keeps; on the
    /// fleet's page, up to the most that any agent keeps.
    pub(super) fn windows(&self) -> Vec<u64> {
        let kept = if self.page == Page::Fleet || self.is_whole_fleet(self.selected) {
            self.agents().iter().map(periods_to_choose_from).max()
        } else {
            self.agent().map(periods_to_choose_from)
        };
        let kept = kept.unwrap_or(1);
        WINDOWS.into_iter().filter(|periods| *periods < kept).chain([kept]).collect()
    }
}

/// Windows offered, in periods; the agent's own number of periods ends them.
const WINDOWS: [u64; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 30, 60, 120, 240, 480, 1440];

/// Periods among which windows can be chosen: 1 if there is no choice. A saved file and a summary
/// have one window, and agents of the 3.0 line always give all their periods.
fn periods_to_choose_from(agent: &AgentModel) -> u64 {
    match &agent.info {
        Some(info) if agent.link != AgentLink::Saved && agent.is_ours() && !info.single_summary => {
            info.periods.max(1)
        }
        _ => 1,
    }
}
