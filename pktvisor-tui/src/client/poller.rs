//! One thread for each agent: it asks every second, waits longer after failures, and reports both.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use super::{
    Update, Wanted,
    backoff::Backoff,
    http::Http,
    permits::Permits,
    protocol::{ROUND, Session},
};

/// A command to the thread. Each makes it ask at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollerCommand {
    /// Other data is wanted from now on.
    Want(Wanted),
    /// Do not wait for the next try.
    Retry,
}

/// The handle of the thread. Dropped, the thread ends after its current question.
pub struct Poller {
    commands: Sender<PollerCommand>,
}

impl Poller {
    /// Starts the thread, which shares its permits with others and calls `report` with every update. `report` returns whether a
    /// receiver still exists.
    pub fn start(
        http: Http,
        permits: Permits,
        wanted: Wanted,
        mut report: impl FnMut(Update) -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let (commands, inbox) = mpsc::channel();
        thread::Builder::new().name("poller".to_owned()).spawn(move || {
            let mut session = Session::new(http).sharing(permits);
            let mut wanted = wanted;
            let mut backoff = Backoff::default();
            loop {
                let (update, next_round) = round(&mut session, &wanted, &mut backoff);
                if !report(update) {
                    return;
                }
                match listen(&inbox, next_round, &mut wanted) {
                    Heard::Nothing => {}
                    Heard::Command => backoff.reset(),
                    Heard::Goodbye => return,
                }
            }
        })?;
        Ok(Self { commands })
    }

    /// Sends a command to the thread, unless it has ended.
    pub fn send(&self, command: PollerCommand) {
        let _gone = self.commands.send(command);
    }
}

/// One round, and when the next one is due.
fn round(session: &mut Session, wanted: &Wanted, backoff: &mut Backoff) -> (Update, Instant) {
    let started = Instant::now();
    match session.round(wanted) {
        Ok(answer) => {
            backoff.reset();
            (Update::Answer(Box::new(answer)), started + ROUND)
        }
        Err(error) => {
            session.forget();
            let retry_in = backoff.next();
            (Update::Failure { error, retry_in }, Instant::now() + retry_in)
        }
    }
}

enum Heard {
    Nothing,
    Command,
    Goodbye,
}

/// Sleeps until `deadline` or the first command; takes all that have piled up.
fn listen(inbox: &Receiver<PollerCommand>, deadline: Instant, wanted: &mut Wanted) -> Heard {
    let mut heard = Heard::Nothing;
    loop {
        let wait = match heard {
            Heard::Nothing => deadline.saturating_duration_since(Instant::now()),
            _ => Duration::ZERO,
        };
        match inbox.recv_timeout(wait) {
            Ok(PollerCommand::Want(next)) => *wanted = next,
            Ok(PollerCommand::Retry) => {}
            Err(RecvTimeoutError::Timeout) => return heard,
            Err(RecvTimeoutError::Disconnected) => return Heard::Goodbye,
        }
        heard = Heard::Command;
    }
}
