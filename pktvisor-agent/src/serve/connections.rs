//! The open connections: a bounded number. The one that has been idle for longest makes room for a
//! new one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tracing::warn;

use super::stream::{Phase, now_ms};

/// How often to log that clients are turned away.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// The open connections. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<Mutex<HashMap<u64, Connection>>>);

struct Connection {
    phase: Phase,
    task: AbortHandle,
}

impl Connections {
    /// Adds a connection and the task that serves it.
    pub(super) fn add(&self, id: u64, phase: Phase, task: AbortHandle) {
        let mut connections = self.0.lock();
        connections.insert(id, Connection { phase, task });
        // Also removes connections that ended, perhaps before they were added.
        connections.retain(|_, connection| !connection.task.is_finished());
    }

    /// The number of connections.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Closes the connection that has been idle for longest. Returns false if none is idle.
    pub(super) fn close_idlest(&self) -> bool {
        let mut connections = self.0.lock();
        let idle = connections.iter().filter_map(|(id, connection)| {
            let since_ms = connection.phase.idle_since_ms()?;
            (!connection.task.is_finished()).then_some((since_ms, *id))
        });
        let Some((_, id)) = idle.min() else { return false };
        if let Some(connection) = connections.remove(&id) {
            connection.task.abort();
        }
        true
    }
}

/// Logs that there are too many clients, once a minute however many come.
#[derive(Default)]
pub(super) struct Crowd {
    closed: u64,
    refused: u64,
    warned_ms: Option<u64>,
}

impl Crowd {
    /// Counts an idle connection that was closed for a new one.
    pub(super) fn record_closed(&mut self, limit: usize) {
        self.closed += 1;
        self.warn(limit);
    }

    /// Counts a new connection that was refused because none was idle.
    pub(super) fn record_refused(&mut self, limit: usize) {
        self.refused += 1;
        self.warn(limit);
    }

    fn warn(&mut self, limit: usize) {
        let now_ms = now_ms();
        let every_ms = WARN_EVERY.as_millis() as u64;
        if self.warned_ms.is_some_and(|warned_ms| now_ms.saturating_sub(warned_ms) < every_ms) {
            return;
        }
        self.warned_ms = Some(now_ms);
        warn!(
            "all {limit} HTTP connections are in use: the one idle for longest is closed for each new one \
             ({} closed, {} refused since start)",
            self.closed, self.refused
        );
    }
}
