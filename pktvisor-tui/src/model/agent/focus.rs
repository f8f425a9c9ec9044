//! An agent that is looked into: only the traffic that matches a filter, in a model of its own, so
//! that every page can show it.

use std::time::Duration;

use super::AgentModel;
use crate::{
    client::{AgentAnswer, FocusAnswer, TrafficFilter},
    model::{
        info::{AgentInfo, AgentLink},
        printable::Printable,
    },
};

/// What matches a filter, from the moment on at which it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct FocusModel {
    /// The filter.
    pub filter: TrafficFilter,
    /// Why the agent does not look into it.
    pub error: Option<Printable>,
    /// The agent as if it had seen nothing else.
    pub agent: AgentModel,
}

impl AgentModel {
    /// Begins to look into the agent, or stops it.
    pub fn set_focus(&mut self, filter: Option<TrafficFilter>) {
        self.focus = filter.map(|filter| {
            let mut agent = Self::new("");
            (agent.label, agent.info) = (self.label.clone(), self.info.clone());
            Box::new(FocusModel { filter, error: None, agent })
        });
    }

    /// Takes in an answer about what matches. Answers about another filter are late ones.
    pub(super) fn take_focus(&mut self, answer: Option<FocusAnswer>, now: Duration) {
        let Some(focus) = self.focus.as_deref_mut() else { return };
        let Some(answer) = answer.filter(|answer| answer.filter == focus.filter) else { return };
        match answer.period {
            Err(error) => focus.error = Some(Printable::new(&error)),
            Ok((window_name, period)) => {
                focus.error = None;
                // Queries wait anywhere: the agent does not count those that match.
                focus.agent.info = self.info.clone().map(|info| AgentInfo { waiting: 0, ..info });
                let live = Some(period.clone());
                let answer =
                    AgentAnswer { ours: true, window_name, window: period, live, ..AgentAnswer::default() };
                focus.agent.answer(answer, now);
            }
        }
    }

    /// What matches is as old as the agent's last answer.
    pub(super) fn pass_link_on(&mut self) {
        if let (Some(focus), AgentLink::Down { .. }) = (self.focus.as_deref_mut(), &self.link) {
            focus.agent.link = self.link.clone();
        }
    }
}
