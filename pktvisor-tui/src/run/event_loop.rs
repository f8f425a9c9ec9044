//! The loop: keys, answers and signals in; frames out.

use std::{
    io,
    process::ExitCode,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use crossterm::event;
use signal_hook::{
    consts::{SIGCONT, SIGTSTP},
    low_level::emulate_default_handler,
};

use super::{
    RunError,
    events::{LoopEvent, PacketsSource},
};
use crate::{
    app::{Action, ActionOutcome, InputMode, UiState, action_of_key, action_of_mouse},
    client::{PacketsUpdate, Poller, PollerCommand, Wanted},
    merger::Merger,
    pages,
    terminal::Screen,
};

/// The minimum time between frames for new data; keys draw at once.
const FRAME: Duration = Duration::from_millis(200);
/// The time between frames without new data, because ages on the screen grow.
const TICK: Duration = Duration::from_secs(1);

/// Whether the loop continues.
enum LoopStep {
    GoOn,
    Leave,
}

/// The state of the loop.
pub(super) struct Loop {
    pub(super) app: UiState,
    pub(super) screen: Screen,
    pub(super) pollers: Vec<Poller>,
    pub(super) merger: Merger,
    pub(super) packets: PacketsSource,
    /// The last wish sent to each poller.
    pub(super) wanted: Vec<Wanted>,
    pub(super) inbox: Receiver<LoopEvent>,
    pub(super) started: Instant,
    pub(super) drawn_at: Option<Instant>,
    pub(super) dirty: bool,
}

impl Loop {
    pub(super) fn run(mut self) -> Result<ExitCode, RunError> {
        loop {
            let now = Instant::now();
            let due = self.drawn_at.map_or(now, |drawn| drawn + if self.dirty { FRAME } else { TICK });
            if due <= now {
                self.draw().map_err(RunError::Terminal)?;
                continue;
            }
            let event = match self.inbox.recv_timeout(due - now) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(ExitCode::SUCCESS),
            };
            if let LoopStep::Leave = self.take_in(event)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        self.app.tick(self.started.elapsed());
        self.app.clamp();
        if self.app.shows_union() {
            self.merger.merge(|| self.app.union_parts(), self.started.elapsed());
        }
        let app = &self.app;
        let mut regions = None;
        self.screen.terminal().draw(|frame| {
            let area = frame.area();
            regions = Some(pages::draw(frame.buffer_mut(), area, app));
        })?;
        if let Some(regions) = regions {
            self.app.regions = regions;
        }
        self.dirty = false;
        self.drawn_at = Some(Instant::now());
        Ok(())
    }

    fn take_in(&mut self, event: LoopEvent) -> Result<LoopStep, RunError> {
        match event {
            LoopEvent::Input(event::Event::Key(key)) => {
                let mode = if self.app.typing { InputMode::Typing } else { InputMode::Normal };
                self.act(action_of_key(key, mode))
            }
            LoopEvent::Input(event::Event::Mouse(mouse)) => self.act(action_of_mouse(mouse)),
            LoopEvent::Input(_) => {
                // A new size is drawn at once, because the old frame no longer fits.
                self.drawn_at = None;
                Ok(LoopStep::GoOn)
            }
            LoopEvent::InputEnded => Ok(LoopStep::Leave),
            LoopEvent::Signal(SIGTSTP) => self.act(Some(Action::Suspend)),
            LoopEvent::Signal(SIGCONT) => {
                self.drawn_at = None;
                self.screen.retake().map(|()| LoopStep::GoOn).map_err(RunError::Terminal)
            }
            LoopEvent::Signal(_) => Ok(LoopStep::Leave),
            LoopEvent::Packets(update) => {
                self.app.packets = Some(update);
                self.dirty = true;
                Ok(LoopStep::GoOn)
            }
            LoopEvent::Union(union) => {
                self.app.tick(self.started.elapsed());
                self.app.update_fleet(*union);
                self.merger.arrived();
                self.dirty = true;
                Ok(LoopStep::GoOn)
            }
            LoopEvent::Update(index, update) => {
                let now = self.started.elapsed();
                self.app.tick(now);
                if let Some(agent) = self.app.agent_mut(index) {
                    agent.update(update, now);
                }
                self.dirty = true;
                Ok(LoopStep::GoOn)
            }
        }
    }

    fn act(&mut self, action: Option<Action>) -> Result<LoopStep, RunError> {
        let Some(action) = action else { return Ok(LoopStep::GoOn) };
        self.app.tick(self.started.elapsed());
        match self.app.handle(action) {
            ActionOutcome::Quit => return Ok(LoopStep::Leave),
            ActionOutcome::Suspend => {
                self.screen
                    .lend(|| {
                        let _stopped = emulate_default_handler(SIGTSTP);
                    })
                    .map_err(RunError::Terminal)?;
            }
            ActionOutcome::Retry => self.pollers.iter().for_each(|poller| poller.send(PollerCommand::Retry)),
            ActionOutcome::SavePackets(filter) => {
                let outcome = self.packets.save(self.app.selected(), filter);
                self.app.packets = outcome.err().map(PacketsUpdate::Failed);
            }
            ActionOutcome::Continue => self.update_pollers(),
        }
        self.drawn_at = None;
        Ok(LoopStep::GoOn)
    }

    /// Sends each poller its new wishes, if they changed.
    fn update_pollers(&mut self) {
        for (index, (poller, last)) in self.pollers.iter().zip(&mut self.wanted).enumerate() {
            let wanted = self.app.wanted(index);
            if *last != wanted {
                last.clone_from(&wanted);
                poller.send(PollerCommand::Want(wanted));
            }
        }
    }
}
