//! A replay of a capture, with everything that must be true of its result.

use std::io::Cursor;

use capture_file::Capture;
use pktvisor_agent::replay::Replay;

use crate::identities;
use crate::setup::Setup;

/// How a replay ended.
#[derive(Debug, PartialEq, Eq)]
pub enum ReplayEnd {
    /// With a summary of all packets.
    Summary,
    /// With a summary, and a warning about the capture.
    SummaryWithWarning,
    /// With an error.
    Error,
}

/// Replays a capture and checks everything that must be true of the result.
///
/// # Errors
///
/// Something is not true of the result.
pub fn replay(bytes: Vec<u8>, setup: &Setup) -> Result<ReplayEnd, String> {
    let capture = match Capture::from_reader(Cursor::new(bytes)) {
        Ok(capture) => capture,
        Err(error) => return clear(error.into()).map(|()| ReplayEnd::Error),
    };
    let store = setup.store();
    let mut replay = Replay { capture, pacer: None, pipeline: setup.pipeline() };
    let outcome = replay.run(&store, |_| true);
    identities::check(setup, &store, &replay.pipeline.intake)?;
    match outcome {
        Ok(None) => Ok(ReplayEnd::Summary),
        Ok(Some(warning)) => sentence(&warning.to_string()).map(|()| ReplayEnd::SummaryWithWarning),
        Err(error) => clear(error.into()).map(|()| ReplayEnd::Error),
    }
}

/// One sentence, as the binary prints it.
fn clear(error: anyhow::Error) -> Result<(), String> {
    sentence(&format!("{error:#}"))
}

fn sentence(text: &str) -> Result<(), String> {
    let parts: Vec<_> = text.split(": ").collect();
    let is_repetitive = parts.iter().enumerate().any(|(n, part)| parts[..n].contains(part));
    match text.is_empty() || text.contains('\n') || is_repetitive {
        true => Err(format!("not one clear sentence: {text:?}")),
        false => Ok(()),
    }
}
