//! The terminal UI in a terminal of 80x24, by tmux.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pktvisor_api::Finding;
use tempfile::TempDir;
use testbed::Namespace;

/// A new answer of the agent shows within a few seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// In the last line, which explains keys.
const KEYS: &str = "q quit";

/// The terminal UI, built with the agent.
pub(crate) fn program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_pktvisord")).with_file_name("pktvisor")
}

/// Asserts that the terminal UI says on top what was found, and compares its details on the list of
/// findings with a snapshot.
pub(crate) fn assert_shows(namespace: &Namespace, finding: &Finding, snapshot: &str) {
    let name = &finding.subject.name;
    let screen = Screen::open(namespace);
    screen.wait_for_line(|line| is_finding(line) && line.contains(name));
    screen.press("f");
    let heading = format!("─ {} · {} ─", finding.kind, finding.subject.kind);
    screen.wait_for_line(|line| line.contains(&heading));
    let text = screen.text();
    let mut lines = text.lines().skip_while(|line| !line.contains(&heading));
    let heading = lines.next().unwrap_or_default();
    // The line breaks of the sentence depend on its figures.
    let sentence: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let figures = lines.filter(|line| !line.is_empty() && !line.contains(KEYS)).map(str::to_owned);
    let shown = [heading.to_owned(), sentence.join(" ")].into_iter().chain(figures);
    let shown: Vec<_> = shown.map(|line| without_figures(&line, name)).collect();
    insta::assert_snapshot!(snapshot, shown.join("\n"));
}

/// The line on top begins with the sign of a severity.
fn is_finding(line: &str) -> bool {
    line.trim_start().starts_with(['✕', '▲', '•'])
}

/// The line without figures, which differ in each run, their units and the space around them. What
/// begins with a digit is a figure, except the name.
fn without_figures(line: &str, name: &str) -> String {
    let shown = |word: &str| {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        match word {
            _ if word.contains(name) => word.to_owned(),
            _ if plain.starts_with(|c: char| c.is_ascii_digit()) => "#".to_owned(),
            _ if word.starts_with('─') => "─".to_owned(),
            _ => word.to_owned(),
        }
    };
    let is_unit = |word: &&str| ["%", "ms", "s", "µs", "MB/s"].contains(&word.trim_end_matches([',', ')']));
    line.split_whitespace().filter(|word| !is_unit(word)).map(shown).collect::<Vec<_>>().join(" ")
}

/// A terminal that shows the agent of a namespace.
struct Screen {
    directory: TempDir,
}

impl Screen {
    fn open(namespace: &Namespace) -> Self {
        let screen = Self { directory: tempfile::tempdir().unwrap() };
        let configuration = screen.directory.path().join("tmux.conf");
        // Its own status line would take the 24th line.
        std::fs::write(&configuration, "set -g status off\n").unwrap();
        let mut command = namespace.command("tmux");
        screen.add_socket(&mut command).arg("-f").arg(configuration);
        command.args(["new-session", "-d", "-x", "80", "-y", "24"]).arg(program());
        assert!(command.status().unwrap().success(), "tmux does not start");
        screen
    }

    fn add_socket<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_remove("TMUX")
            .env("LANG", "C.UTF-8")
            .arg("-u")
            .arg("-S")
            .arg(self.directory.path().join("socket"))
    }

    /// The text on it.
    fn text(&self) -> String {
        let mut command = Command::new("tmux");
        let output = self.add_socket(&mut command).args(["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types a key.
    fn press(&self, key: &str) {
        let mut command = Command::new("tmux");
        assert!(self.add_socket(&mut command).args(["send-keys", key]).status().unwrap().success());
    }

    /// The first line like this, once there is one.
    fn wait_for_line(&self, is_wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            if let Some(line) = text.lines().find(|line| is_wanted(line)) {
                return line.to_owned();
            }
            assert!(start.elapsed() < PATIENCE, "the finding is not on the screen:\n{text}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut command = Command::new("tmux");
        // It fails if tmux has ended.
        let _ = self.add_socket(&mut command).arg("kill-server").stderr(Stdio::null()).status();
    }
}
