//! The actions of the operator, and their effects.

use super::{Frozen, Page, UiState, Zoom, regions::Hit};
use crate::client::{AskedWindow, PacketsUpdate, TrafficFilter};

/// An action of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Quit.
    Quit,
    /// Suspend as a job of the shell.
    Suspend,
    /// Show a page.
    Show(Page),
    /// The page to the right.
    NextPage,
    /// The page to the left.
    PreviousPage,
    /// One up.
    Up,
    /// One down.
    Down,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// Open the focused list or agent.
    Open,
    /// Go back one step.
    Back,
    /// Begin typing a filter.
    Filter,
    /// A character of the filter.
    Type(char),
    /// Delete the last character of the filter.
    Erase,
    /// Keep the filter, and stop typing.
    Accept,
    /// The next order.
    Sort,
    /// More periods.
    Wider,
    /// Fewer periods.
    Narrower,
    /// Pause the screen, or resume it.
    Pause,
    /// The next agent.
    NextAgent,
    /// The previous agent.
    PreviousAgent,
    /// Ask the agents now, without waiting for the next try.
    Retry,
    /// List the findings, or close their list.
    Findings,
    /// Save the packets that the row under the cursor stands for.
    SavePackets,
    /// Open or close help.
    Help,
    /// A click at column, row.
    Click(u16, u16),
}

/// The work that an action leaves to the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionOutcome {
    /// Draw.
    Continue,
    /// Leave.
    Quit,
    /// Stop as a job of the shell.
    Suspend,
    /// Ask the agents now.
    Retry,
    /// Save the packets that match.
    SavePackets(TrafficFilter),
}

impl UiState {
    /// Performs an action.
    pub fn handle(&mut self, action: Action) -> ActionOutcome {
        // What happened to a file was read.
        self.packets.take_if(|packets| !matches!(packets, PacketsUpdate::Saving { .. }));
        match action {
            Action::Quit => return ActionOutcome::Quit,
            Action::Suspend => return ActionOutcome::Suspend,
            Action::Retry => return ActionOutcome::Retry,
            Action::Show(page) => self.show(page),
            Action::NextPage => self.show(self.page_at(1)),
            Action::PreviousPage => self.show(self.page_at(Page::ALL.len() - 1)),
            Action::Help => self.help = if self.help.is_some() { None } else { Some(0) },
            Action::SavePackets => {
                if let Some(filter) = self.packets_to_save().filter(|_| self.packets.is_none()) {
                    return ActionOutcome::SavePackets(filter);
                }
            }
            Action::Findings => self.list_findings(),
            Action::Back => self.back(),
            Action::Open => self.open(),
            Action::Filter => self.typing = self.can_filter(),
            Action::Type(character) if self.filter.chars().count() < 64 => self.filter.push(character),
            Action::Type(_) => {}
            Action::Erase => {
                self.filter.pop();
            }
            Action::Accept => self.typing = false,
            Action::Sort => self.sort(),
            Action::Wider => self.widen(),
            Action::Narrower => self.narrow(),
            Action::Pause => self.pause(),
            Action::NextAgent => self.step_agent(1),
            Action::PreviousAgent => self.step_agent(self.places().saturating_sub(1)),
            Action::Click(column, row) => self.click(column, row),
            Action::Up | Action::Down | Action::Left | Action::Right | Action::First | Action::Last => {
                self.step(action);
            }
        }
        self.clamp();
        ActionOutcome::Continue
    }

    pub(super) fn show(&mut self, page: Page) {
        self.page = page;
        self.zoom = None;
        self.help = None;
        self.findings_cursor = None;
        self.scroll = 0;
    }

    /// Sorts the fleet or the focused list by the next order.
    fn sort(&mut self) {
        if !self.can_sort() {
        } else if self.page == Page::Fleet {
            self.fleet_sort = self.fleet_sort.next();
        } else if let Some(kind) = self.focused_list() {
            self.sorts.advance(kind, self.rates_given());
        }
    }

    fn page_at(&self, offset: usize) -> Page {
        Page::ALL.get((self.page.index() + offset) % Page::ALL.len()).copied().unwrap_or(Page::Overview)
    }

    fn back(&mut self) {
        if self.help.take().is_some() || self.findings_cursor.take().is_some() {
        } else if self.typing || !self.filter.is_empty() {
            self.typing = false;
            self.filter.clear();
        } else if self.zoom.take().is_none() && !self.leave_focus() && self.agents.len() > 1 {
            self.show(Page::Fleet);
        }
    }

    fn open(&mut self) {
        let filter = self.filter_under_cursor().filter(|_| self.can_look_into());
        if let Some(filter) = filter {
            self.look_into(filter);
        } else if self.findings_cursor.is_some() {
        } else if self.page == Page::Fleet {
            self.show(Page::Overview);
        } else if self.zoom.take().is_none()
            && let Some(list) = self.focused_list()
        {
            self.zoom = Some(Zoom { list, row: 0 });
        }
    }

    fn list_findings(&mut self) {
        self.help = None;
        self.findings_cursor = match self.findings_cursor {
            None if self.has_findings() => Some(0),
            _ => None,
        };
    }

    fn pause(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(Frozen { at: self.now, agents: self.agents.clone(), fleet: self.fleet.clone() }),
        };
    }

    fn step_agent(&mut self, offset: usize) {
        if let Some(next) = (self.selected + offset).checked_rem(self.places()) {
            self.selected = next;
        }
    }

    /// Chooses the next larger window; after the largest comes the smallest.
    fn widen(&mut self) {
        let (now, windows) = self.window_choice();
        let wider = windows.iter().find(|periods| **periods > now).or(windows.first());
        self.window = wider.copied().map(AskedWindow::minutes).or(self.window);
    }

    /// Chooses the next smaller window; after the smallest comes the largest.
    fn narrow(&mut self) {
        let (now, windows) = self.window_choice();
        let narrower = windows.iter().rev().find(|periods| **periods < now).or(windows.last());
        self.window = narrower.copied().map(AskedWindow::minutes).or(self.window);
    }

    /// The periods of the current window, and the windows to choose from; empty if there is no
    /// choice.
    fn window_choice(&self) -> (u64, Vec<u64>) {
        let windows = self.windows();
        let largest = windows.last().copied().unwrap_or(1);
        let now = self.window.map_or(5, AskedWindow::periods).min(largest);
        (now, if windows.len() > 1 { windows } else { Vec::new() })
    }

    fn click(&mut self, column: u16, row: u16) {
        match self.regions.at(column, row) {
            Some(Hit::Page(page)) => self.show(page),
            Some(Hit::List(list)) if self.focus() == list => self.open(),
            Some(Hit::List(list)) => self.set_focus(list),
            Some(Hit::Findings) => self.list_findings(),
            Some(Hit::Row(row)) if self.zoom.is_some_and(|zoom| zoom.row == row) => self.open(),
            Some(Hit::Row(row)) if self.findings_cursor.is_some() => self.findings_cursor = Some(row),
            Some(Hit::Row(row)) => {
                if let Some(zoom) = &mut self.zoom {
                    zoom.row = row;
                }
            }
            Some(Hit::Agent(agent)) if self.selected == agent => self.open(),
            Some(Hit::Agent(agent)) => self.selected = agent,
            None => {}
        }
    }

    fn set_focus(&mut self, place: usize) {
        let Some(list) = self.lists().get(place).copied() else { return };
        if let Some(focus) = self.focus.get_mut(self.page.index()) {
            *focus = Some(list);
        }
        if let Some(zoom) = &mut self.zoom {
            *zoom = Zoom { list, row: 0 };
        }
    }

    /// Handles the arrow keys: scrolls help, or moves the fleet's cursor, the row of a zoomed list,
    /// or the focus.
    fn step(&mut self, action: Action) {
        // The length is unknown before the first frame.
        let lines = usize::from(self.regions.scroll_max.unwrap_or(0)) + 1;
        let scrolled = |line: u16| stepped(usize::from(line), action, 1, lines).try_into().unwrap_or(0);
        if let Some(line) = self.help {
            self.help = Some(scrolled(line));
        } else if let Some(row) = self.findings_cursor {
            self.findings_cursor = Some(stepped(row, action, 1, self.findings().len()));
        } else if self.page == Page::Agent {
            self.scroll = scrolled(self.scroll);
        } else if self.page == Page::Fleet {
            let order = self.fleet_order();
            let at = order.iter().position(|agent| *agent == self.selected).unwrap_or(0);
            self.selected = order.get(stepped(at, action, 1, order.len())).copied().unwrap_or(self.selected);
        } else if let (Some(zoom), Action::Up | Action::Down | Action::First | Action::Last) =
            (self.zoom, action)
        {
            let row = stepped(zoom.row, action, 1, self.zoomed_rows());
            self.zoom = Some(Zoom { row, ..zoom });
        } else {
            let columns = if self.zoom.is_some() { 1 } else { self.regions.columns };
            self.set_focus(stepped(self.focus(), action, columns, self.lists().len()));
        }
    }

    /// Moves cursors off rows that a filter or new data removed.
    pub fn clamp(&mut self) {
        if let Some(last) = self.regions.scroll_max {
            self.help = self.help.map(|line| line.min(last));
            self.scroll = self.scroll.min(last);
        }
        let rows = self.zoomed_rows();
        if let Some(zoom) = &mut self.zoom {
            zoom.row = zoom.row.min(rows.saturating_sub(1));
        }
        let findings = self.findings().len();
        if let Some(row) = &mut self.findings_cursor {
            *row = (*row).min(findings.saturating_sub(1));
        }
        if self.page == Page::Fleet {
            let order = self.fleet_order();
            if !order.contains(&self.selected) {
                self.selected = order.first().copied().unwrap_or(self.selected);
            }
        }
    }
}

/// Moves a place among `count` places in rows of `columns`; it stays among them.
fn stepped(at: usize, action: Action, columns: usize, count: usize) -> usize {
    let last = count.saturating_sub(1);
    match action {
        Action::Up if columns > 1 && at < columns => at,
        Action::Up => at.saturating_sub(columns),
        Action::Down if columns > 1 && at + columns > last => at,
        Action::Down => (at + columns).min(last),
        Action::Left => at.saturating_sub(1),
        Action::Right => (at + 1).min(last),
        Action::First => 0,
        Action::Last => last,
        _ => at,
    }
}
