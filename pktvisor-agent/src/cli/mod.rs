//! The command line of `pktvisord`, parsed and checked into [`Options`].
//!
//! ```text
//! arguments   every option, defined once for parsing and help
//! values      parsers of single values
//! labels      the operator's own labels
//! foreign     options of other programs that users type from habit
//! target      the meaning of TARGET
//! options     the whole command line, checked
//! configs     settings of the parts of the agent, from the options
//! logging     the agent's own messages
//! ```

mod arguments;
mod configs;
mod foreign;
mod labels;
pub mod logging;
mod options;
mod target;
#[cfg(test)]
mod tests;
mod values;

use clap::CommandFactory;

pub use arguments::LogFormat;
pub use options::{Listen, Options, OtlpOptions, ParseError, TlsFiles, parse};
pub use target::{Target, TargetError, resolve};
pub use values::HostSpecError;

/// The command line as clap knows it, for man page and completions.
pub fn command() -> clap::Command {
    arguments::Arguments::command()
}
