//! Looking into an agent: which traffic a row or a finding stands for.

use super::{Page, UiState};
use crate::{
    client::{FilterKey, TrafficFilter},
    model::{AgentLink, AgentModel, FocusModel, ListKind, Row, RowSubject, SubjectKind},
};

impl UiState {
    /// What the agent on the screen is looked into for.
    pub fn focus_model(&self) -> Option<&FocusModel> {
        self.whole_agent().and_then(|agent| agent.focus.as_deref())
    }

    /// Whether the agent can be looked into: those that serve single seconds can.
    pub fn can_look_into(&self) -> bool {
        self.whole_agent().is_some_and(|agent| agent.recent.is_some() && agent.link != AgentLink::Saved)
    }

    /// The row under the cursor of a zoomed list, with its list.
    fn row_under_cursor(&self) -> Option<(ListKind, &Row)> {
        let zoom = self.zoom?;
        let rows = self.observation()?.rows(zoom.list, &self.filter, self.sorts.of(zoom.list));
        Some((zoom.list, *rows.get(zoom.row)?))
    }

    /// The traffic that the row or the finding under the cursor stands for, within what is looked
    /// into already.
    pub fn filter_under_cursor(&self) -> Option<TrafficFilter> {
        let before = self.focus_model().map(|focus| focus.filter.clone()).unwrap_or_default();
        let (key, value) = match self.findings_cursor {
            Some(cursor) => {
                let finding = self.findings().get(cursor)?;
                let key = match finding.subject_kind {
                    SubjectKind::Server => FilterKey::Server,
                    SubjectKind::Client => FilterKey::Client,
                    SubjectKind::Zone => FilterKey::Zone,
                    SubjectKind::Interface | SubjectKind::Agent => return None,
                };
                (key, finding.subject.as_str())
            }
            None => {
                let (list, row) = self.row_under_cursor()?;
                let name = row.name.as_str();
                match (list.subject(), name.strip_prefix('.').filter(|zone| !zone.is_empty())) {
                    (RowSubject::Client, _) => (FilterKey::Client, name),
                    (RowSubject::Server, _) => (FilterKey::Server, name),
                    (RowSubject::Address, _) => (FilterKey::Network, name),
                    // Lists of the last labels mark names that are below these with a dot.
                    (RowSubject::Name | RowSubject::Zone, Some(zone)) => (FilterKey::Zone, zone),
                    (RowSubject::Name, None) => (FilterKey::Name, name),
                    (RowSubject::Zone, None) => (FilterKey::Zone, name),
                    (RowSubject::Qtype, _) => (FilterKey::Qtype, name),
                    // The spelling of pktvisor 3.0.
                    (RowSubject::Rcode, _) if name == "SRVFAIL" => (FilterKey::Rcode, "SERVFAIL"),
                    (RowSubject::Rcode, _) => (FilterKey::Rcode, name),
                    (RowSubject::Other, _) => return None,
                }
            }
        };
        Some(before.with(key, value))
    }

    /// What `c` saves: the traffic under the cursor, or all that is looked into.
    pub fn packets_to_save(&self) -> Option<TrafficFilter> {
        if !self.can_look_into() {
            return None;
        }
        let focus = || self.focus_model().map(|focus| focus.filter.clone());
        self.filter_under_cursor().or_else(focus)
    }

    /// Looks into the agent, on all of its pages.
    pub(super) fn look_into(&mut self, filter: TrafficFilter) {
        let selected = self.selected;
        if let Some(agent) = self.agents.get_mut(selected) {
            agent.set_focus(Some(filter));
            self.frozen = None;
            self.filter.clear();
            self.show(Page::Overview);
        }
    }

    /// Shows the whole agent again. Returns whether it was looked into.
    pub(super) fn leave_focus(&mut self) -> bool {
        let agent = self.agents.get_mut(self.selected).filter(|agent| agent.focus.is_some());
        let was_focused = agent.is_some();
        agent.into_iter().for_each(|agent: &mut AgentModel| agent.set_focus(None));
        if was_focused {
            self.frozen = None;
        }
        was_focused
    }
}
