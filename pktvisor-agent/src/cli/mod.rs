//! The command line of `pktvisord`, parsed and checked into [`Options`].
//!
//! ```text
//! arguments   every option, defined once for parsing and help
//! choices     options whose value is one of a few words
//! values      parsers of single values
//! labels      the operator's own labels
//! foreign     options of other programs that users type from habit
//! target      the meaning of TARGET
//! options     the whole command line, checked
//! no_effect   warnings about options that have no effect
//! configs     settings of the parts of the agent, from the options
//! logging     the agent's own messages
//! ```

mod arguments;
mod choices;
mod configs;
mod foreign;
mod labels;
pub mod logging;
mod no_effect;
mod options;
mod target;
#[cfg(test)]
mod tests;
mod values;

use clap::CommandFactory;

pub use choices::LogFormat;
pub use options::{Listen, Options, OtlpOptions, ParseError, TlsFiles, parse};
pub use target::{Target, TargetError, resolve};
pub use values::HostSpecError;

/// The command line as clap knows it, for man page and completions.
pub fn command() -> clap::Command {
    arguments::Arguments::command()
}
