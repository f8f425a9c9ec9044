//! Takes the screen, draws, and panics on another thread: `tests/tmux/main.rs` looks at what is left of
//! the terminal.

use std::{thread, time::Duration};

use pktvisor_tui::terminal::{Mouse, Screen};

fn main() -> std::io::Result<()> {
    let mut screen = Screen::take(Mouse::Reported)?;
    screen.terminal().draw(|frame| frame.render_widget("a screen", frame.area()))?;
    thread::sleep(Duration::from_millis(500));
    let panicking = thread::spawn(|| panic!("a thread panics"));
    let _never = panicking.join();
    Ok(())
}
