//! Signals that do not end a serving agent: SIGHUP opens the geo databases again, SIGUSR1 and
//! SIGUSR2 do nothing.
//!
//! [`run`](crate::run) handles SIGINT and SIGTERM, which end it. Rust programs ignore SIGPIPE:
//! writing to a pipe that nobody reads is an error instead.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::Agent;
use crate::agent::status::Reopening;

/// Handles these signals in the background, as long as the runtime exists.
///
/// # Errors
///
/// The system does not let the agent wait for a signal.
pub(crate) fn watch(agent: Arc<Agent>) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    let mut first = signal(SignalKind::user_defined1()).context("cannot wait for SIGUSR1")?;
    let mut second = signal(SignalKind::user_defined2()).context("cannot wait for SIGUSR2")?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = hangup.recv() => reopen_databases(&agent),
                Some(()) = first.recv() => tracing::info!("SIGUSR1 has no meaning for pktvisord, ignored"),
                Some(()) = second.recv() => tracing::info!("SIGUSR2 has no meaning for pktvisord, ignored"),
                else => return,
            }
        }
    });
    Ok(())
}

fn reopen_databases(agent: &Agent) {
    match agent.status.reopen_geo() {
        Reopening::Requested => tracing::info!("SIGHUP: opening the geo databases again"),
        Reopening::NoDatabases => tracing::info!("SIGHUP: there are no geo databases to open again"),
        Reopening::Finished => {
            tracing::info!("SIGHUP: the capture was read to its end, so the agent uses no geo database");
        }
    }
}
