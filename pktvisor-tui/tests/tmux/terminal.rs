//! A terminal that tmux provides: keys in, the screen out.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{LONG, Skipped};

/// A terminal of its own tmux server, on a socket of its own.
pub(crate) struct Tmux {
    socket: String,
}

impl Tmux {
    /// A shell in a terminal of 120x40.
    pub(crate) fn start(name: &str) -> Result<Self, Skipped> {
        let tmux = Self { socket: format!("pktvisor-test-{name}-{}", std::process::id()) };
        let start = tmux
            .command(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh"])
            .env("PS1", "$ ")
            .status();
        match start {
            Ok(status) if status.success() => Ok(tmux),
            Ok(status) => Err(Skipped(format!("tmux cannot start here ({status})"))),
            Err(error) => Err(Skipped(format!("tmux is missing ({error})"))),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-L").arg(&self.socket).args(arguments).env_remove("TMUX").env_remove("NO_COLOR");
        command
    }

    pub(crate) fn keys(&self, keys: &[&str]) {
        let status = self.command(&["send-keys"]).args(keys).status().expect("tmux runs");
        assert!(status.success(), "send-keys {keys:?}");
    }

    fn screen(&self) -> String {
        let output = self.command(&["capture-pane", "-p"]).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(started.elapsed() < LONG, "waited in vain for {what}; the screen is:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Waits until the terminal is as a shell needs it.
    pub(crate) fn wait_for_clean(&self) {
        self.wait_for("a clean terminal", |_| self.is_clean());
    }

    /// Whether the terminal echoes, shows its cursor and is not on the alternate screen: as a shell
    /// needs it.
    pub(crate) fn is_clean(&self) -> bool {
        let state = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let output = self.command(&["display-message", "-p", state]).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).trim() == "0 1 0"
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _gone = self.command(&["kill-server"]).stderr(Stdio::null()).status();
    }
}
