//! The terminal, taken and given back: on return, on a panic of any thread, on signals, and while
//! suspended.

use std::{
    io::{self, Stdout, Write},
    panic,
    sync::atomic::{AtomicBool, Ordering},
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        event::{DisableMouseCapture, EnableMouseCapture},
        execute,
        style::ResetColor,
        terminal::{
            Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode,
            enable_raw_mode,
        },
    },
};

/// Whether the screen is ours at the moment; a panic on any thread must know it.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the terminal reports the mouse. If it does, it selects no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// It reports clicks and the wheel.
    Reported,
    /// It keeps the mouse to itself.
    Ignored,
}

/// The screen while it is ours. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: Mouse,
}

impl Screen {
    /// Takes the screen: raw mode, the alternate screen, no cursor, and the mouse if asked for.
    pub fn take(mouse: Mouse) -> io::Result<Self> {
        give_back_on_panic();
        enter(mouse)?;
        let screen =
            Terminal::new(CrosstermBackend::new(io::stdout())).map(|terminal| Self { terminal, mouse });
        if screen.is_err() {
            give_back();
        }
        screen
    }

    /// The terminal, to draw on.
    pub fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Stdout>> {
        &mut self.terminal
    }

    /// Gives the screen back while `away` runs, and takes it again.
    pub fn lend(&mut self, away: impl FnOnce()) -> io::Result<()> {
        give_back();
        away();
        self.retake()
    }

    /// Takes the screen again, in any state, and draws all of it again.
    pub fn retake(&mut self) -> io::Result<()> {
        enter(self.mouse)?;
        execute!(io::stdout(), Clear(ClearType::All))?;
        // With empty buffers, and not by `Terminal::clear`: that queries the terminal for its
        // cursor, and the thread that reads keys would take the answer.
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: Mouse) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut stdout = io::stdout();
    let entered = execute!(stdout, EnterAlternateScreen, SetTitle("pktvisor"))
        .and_then(|()| if mouse == Mouse::Reported { execute!(stdout, EnableMouseCapture) } else { Ok(()) });
    entered.inspect_err(|_| give_back())
}

/// Restores the terminal. Errors are ignored, because the terminal may be gone (SIGHUP).
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut stdout = io::stdout();
    let _restored = execute!(stdout, DisableMouseCapture, ResetColor, LeaveAlternateScreen, Show);
    let _raw = disable_raw_mode();
    let _flushed = stdout.flush();
}

/// A panic on any thread ends the program with its message on a clean terminal.
fn give_back_on_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let was_taken = TAKEN.load(Ordering::SeqCst);
        give_back();
        report(info);
        if was_taken {
            // Other threads would draw over the message.
            std::process::exit(101);
        }
    }));
}
