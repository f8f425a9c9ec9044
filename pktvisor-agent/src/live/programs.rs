//! A running capture by BPF programs, for both `inline` and `tap`.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;

use super::collector::Collector;
use super::coordination::Coordination;
use super::running::RunningCapture;
use super::spawn;

/// The threads of the capture.
pub(super) struct Programs {
    coordination: Arc<Coordination>,
    /// The thread that follows the interfaces. It detaches the programs when it ends.
    interfaces: JoinHandle<()>,
    /// Dropped to stop the collector thread.
    stop: SyncSender<()>,
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
        let (stop, stopped) = sync_channel(0);
        let agent = Arc::clone(&collector.agent);
        let collector = spawn(&agent, "collector", move || collector.run(&stopped))?;
        Ok(Self { coordination, interfaces, stop, collector, workers })
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
        drop(self.stop);
        self.collector.join().ok().context("the collector thread panicked")?.finish()?;
        Ok(())
    }
}
