//! Shows the progress of a replay on stderr if that is a terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::ProgressStyle;

use crate::replay::ReplayProgress;

/// How often the display changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// A line with bytes done, packets, packets per second and time left. Draws nothing unless stderr
/// is a terminal.
pub(crate) struct ProgressBar {
    bar: indicatif::ProgressBar,
    started: Instant,
    shown: Option<Instant>,
}

impl ProgressBar {
    /// A display for a capture of `total_bytes`, if its size is known.
    pub(crate) fn new(total_bytes: Option<u64>) -> Self {
        let bar = match total_bytes {
            _ if !std::io::stderr().is_terminal() => indicatif::ProgressBar::hidden(),
            Some(bytes) => styled(
                indicatif::ProgressBar::new(bytes),
                "{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left",
            ),
            None => styled(indicatif::ProgressBar::new_spinner(), "{spinner} {bytes}  {msg}"),
        };
        Self { bar, started: Instant::now(), shown: None }
    }

    /// Shows the progress.
    pub(crate) fn show(&mut self, progress: &ReplayProgress<'_>) {
        if self.bar.is_hidden() {
            return;
        }
        let now = Instant::now();
        if self.shown.is_some_and(|shown| now - shown < INTERVAL) {
            return;
        }
        self.shown = Some(now);
        let packets = progress.intake.packets;
        let per_second = packets as f64 / (now - self.started).as_secs_f64().max(1e-3);
        self.bar.set_position(progress.bytes);
        self.bar.set_message(format!("{packets} packets, {per_second:.0}/s"));
    }

    /// Removes the display.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn styled(bar: indicatif::ProgressBar, template: &str) -> indicatif::ProgressBar {
    // The templates are constants. If one were wrong, the default style would do.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
