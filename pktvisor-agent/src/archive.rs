//! The archive of the agent: from closed periods to the thread that writes them.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use pktvisor_archive::{
    ArchiveLocation, ArchiveStatus, Archiver, ArchiverSettings, EmptyPeriods, Overflow, PERIOD_ENTRIES,
    Variables,
};
use pktvisor_metrics::ListLength;
use pktvisor_sandbox::Needs;
use tokio_util::sync::CancellationToken;

use crate::agent::Agent;
use crate::cli::Options;

/// How long the store may be away while a capture file waits for it, and at the end of the file.
const FILE_PATIENCE: Duration = Duration::from_secs(60);
/// How long an agent that is to stop writes what is left. Service managers kill after 90 s.
const LIVE_PATIENCE: Duration = Duration::from_secs(10);
/// How often a replay that is faster than the archive looks whether it may go on.
const ROOM_POLL: Duration = Duration::from_millis(1);

/// Starts the archive of the options, if they want one.
///
/// # Errors
///
/// The archive cannot be used.
pub(crate) fn start(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<()> {
    let Some(archive) = &options.archive else { return Ok(()) };
    let is_live = options.target.is_live();
    let settings = ArchiverSettings {
        location: archive.location.clone(),
        agent: archive.agent.clone(),
        keep_days: archive.keep_days,
        overflow: if is_live { Overflow::GiveUpOldest } else { Overflow::Wait(FILE_PATIENCE) },
        empty_periods: if is_live { EmptyPeriods::Kept } else { EmptyPeriods::LeftOut },
    };
    // The agent owns the archiver, so the archiver must not own the agent.
    let source = Arc::downgrade(agent);
    let lists = list_length();
    let archiver =
        Archiver::start(settings, Box::new(move || source.upgrade()?.store.take_unarchived(lists)))?;
    agent.set_archiver(archiver);
    tracing::debug!("archive: writing to {} as {}", archive.location, archive.agent.as_str());
    Ok(())
}

fn list_length() -> ListLength {
    ListLength::new(PERIOD_ENTRIES).unwrap_or(ListLength::DEFAULT)
}

/// Pauses a replay that closes periods faster than they are archived.
pub(crate) fn wait_for_room(agent: &Agent, stop: &CancellationToken) {
    let Some(archiver) = agent.archiver() else { return };
    while agent.store.is_archive_due() && !stop.is_cancelled() {
        archiver.wake();
        thread::sleep(ROOM_POLL);
    }
}

/// Archives the live period as it is: the capture has ended.
pub(crate) fn close_live_period(agent: &Agent) {
    let Some(archiver) = agent.archiver() else { return };
    match agent.store.sketches_of_bucket(0, list_length()) {
        Ok(period) if agent.has_counted() || period.period.period.length > 0 => archiver.submit(period),
        _ => {}
    }
}

/// Ends the archive of a live capture. What cannot be written is logged.
pub(crate) fn finish_live(agent: &Agent) {
    let Some(archiver) = agent.archiver() else { return };
    let status = archiver.finish(LIVE_PATIENCE);
    if let Some(loss) = loss(&status) {
        tracing::warn!("archive: {loss}");
    }
}

/// Ends the archive of a capture file.
///
/// # Errors
///
/// Periods could not be archived.
pub(crate) fn finish_file(agent: &Agent) -> anyhow::Result<()> {
    let Some(archiver) = agent.archiver() else { return Ok(()) };
    let status = archiver.finish(FILE_PATIENCE);
    if let Some(loss) = loss(&status) {
        bail!("the archive is incomplete: {loss}");
    }
    Ok(())
}

fn loss(status: &ArchiveStatus) -> Option<String> {
    let ArchiveStatus { given_up, written, last_failure, .. } = status;
    let reason = last_failure.as_deref().unwrap_or("there was no time to write them");
    (*given_up > 0).then(|| format!("{given_up} of {} periods were given up: {reason}", given_up + written))
}

/// Creates the directory of the archive, and adds what the archive needs in the sandbox.
///
/// # Errors
///
/// The directory cannot be created.
pub(crate) fn prepare(options: &Options, needs: &mut Needs) -> anyhow::Result<()> {
    let Some(archive) = &options.archive else { return Ok(()) };
    match &archive.location {
        ArchiveLocation::Directory(path) => {
            std::fs::create_dir_all(path).with_context(|| {
                format!(
                    "cannot create the archive {}: give a directory that this user may create and write to",
                    path.display()
                )
            })?;
            needs.writable.push(path.clone());
        }
        ArchiveLocation::ObjectStore(store) => {
            let services = pktvisor_archive::services(store, &Variables::of_process());
            needs.ports.extend(services.ports);
            needs.readable.extend(services.files);
        }
    }
    Ok(())
}
