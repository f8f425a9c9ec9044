//! The command line of `pktvisord`: what was written, checked and made into [`Options`].
//!
//! ```text
//! arguments   every option, defined once for parsing and help
//! values      how single values are read
//! foreign     options of other programs that people type from habit
//! target      what TARGET means
//! options     all of it, checked
//! configs     what the parts of the agent take from the options
//! logging     where the agent's own messages go
//! ```

mod arguments;
mod configs;
mod foreign;
pub mod logging;
mod options;
mod target;
#[cfg(test)]
mod tests;
mod values;

use clap::CommandFactory;

pub use arguments::LogFormat;
pub use options::{Listen, Options, ParseError, parse};
pub use target::{Target, TargetError, resolve};
pub use values::HostSpecError;

/// The command line as clap knows it, for man page and completions.
pub fn command() -> clap::Command {
    arguments::Arguments::command()
}
