//! One run of the agent: from the options to the end of the capture.

use crate::cli::Options;

/// Runs until the file is read, or until told to stop.
pub fn run(options: &Options) -> anyhow::Result<()> {
    anyhow::bail!("cannot capture from {:?}: capturing is not wired", options.target_text)
}
