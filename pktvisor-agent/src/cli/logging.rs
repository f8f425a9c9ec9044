//! Where the agent's own messages go: stderr, so that stdout holds the summary and nothing else.
//!
//! People read a level and a sentence. A time stamp stands before it where nothing else gives one: a terminal's
//! reader was there, and the journal keeps its own.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::LogFormat;

/// Starts logging. `RUST_LOG` chooses what is logged, `info` and above if it is not set.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // Told of errors, it would write them to stderr with a macro that panics where that fails.
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).log_internal_errors(false);
    let is_terminal = io::stderr().is_terminal();
    let is_dated = is_terminal || std::env::var_os("JOURNAL_STREAM").is_some();
    let is_coloured = is_terminal && std::env::var_os("NO_COLOR").is_none();
    // A second start, in a test, keeps the first.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text if is_dated => {
            log.with_target(false).with_ansi(is_coloured).without_time().try_init()
        }
        LogFormat::Text => log.with_target(false).with_ansi(false).try_init(),
    };
}
