//! A running capture by BPF programs, for both `inline` and `tap`.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;

use super::collector::{Collector, MomentRequest};
use super::coordination::Coordination;
use super::running::RunningCapture;
use super::spawn;

/// The threads of the capture.
pub(super) struct Programs {
    coordination: Arc<Coordination>,
    /// The thread that follows the interfaces. It detaches the programs when it ends.
    interfaces: JoinHandle<()>,
    /// Requests a moment of the collector thread. Dropped to stop it.
    requests: Arc<SyncSender<MomentRequest>>,
    collector: JoinHandle<Collector>,
    /// The worker threads.
    workers: Vec<JoinHandle<()>>,
}

impl Programs {
    /// Starts the collector thread beside the other threads.
    pub(super) fn run(
        coordination: Arc<Coordination>,
        interfaces: JoinHandle<()>,
        collector: Collector,
        workers: Vec<JoinHandle<()>>,
    ) -> anyhow::Result<Self> {
        // One is enough for all readers.
        let (requests, requested) = sync_channel(1);
        let requests = Arc::new(requests);
        let agent = Arc::clone(&collector.agent);
        let weak = Arc::downgrade(&requests);
        agent.store.request_lists_by(move || {
            // After the last moment nobody makes another.
            if let Some(requests) = weak.upgrade() {
                let _ = requests.try_send(MomentRequest);
            }
        });
        let collector = spawn(&agent, "collector", move || collector.run(&requested))?;
        Ok(Self { coordination, interfaces, requests, collector, workers })
    }
}

impl RunningCapture for Programs {
    /// Detaches the programs first, so that the worker threads find every remaining packet in the
    /// rings.
    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        self.coordination.detach();
        self.interfaces.join().ok().context("the interfaces thread panicked")?;
        self.coordination.stop();
        for thread in self.workers {
            thread.join().ok().context("a worker thread panicked")?;
        }
        drop(self.requests);
        self.collector.join().ok().context("the collector thread panicked")?.finish()?;
        Ok(())
    }
}
