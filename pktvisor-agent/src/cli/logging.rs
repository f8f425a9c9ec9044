//! The agent's own messages. They go to stderr, so that stdout has only the summary.
//!
//! A message for people is a level and a sentence. A time stamp comes first, except on a terminal
//! and in the journal, which has its own.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::choices::LogFormat;

/// Starts logging. `RUST_LOG` selects the messages; the default is `info` and above.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // It would report its own errors with a macro that panics if stderr cannot be written.
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    let is_terminal = io::stderr().is_terminal();
    let is_dated = is_terminal || std::env::var_os("JOURNAL_STREAM").is_some();
    let is_coloured = is_terminal && std::env::var_os("NO_COLOR").is_none();
    // A second start in a test has no effect.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text if is_dated => {
            log.with_target(false).with_ansi(is_coloured).without_time().try_init()
        }
        LogFormat::Text => log.with_target(false).with_ansi(false).try_init(),
    };
}
