//! A capture by kernel programs, while it runs and at its end, whichever way DNS comes up from them.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;

use super::collector::Collector;
use super::coordination::Coordination;
use super::running::RunningCapture;
use super::spawn;

/// The threads, and what they depend on.
pub(super) struct Programs {
    coordination: Arc<Coordination>,
    /// It follows the interfaces, and takes the programs off when it ends.
    interfaces: JoinHandle<()>,
    /// Hung up to stop the drain thread.
    stop: SyncSender<()>,
    collector: JoinHandle<Collector>,
    /// They take up and analyse DNS.
    workers: Vec<JoinHandle<()>>,
}

impl Programs {
    /// Starts the drain thread beside the deep ones.
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
    /// Detaches the programs first, so that the worker threads find every remaining packet in the rings.
    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        self.coordination.detach();
        self.interfaces.join().ok().context("the watch over the interfaces broke down")?;
        self.coordination.stop();
        for thread in self.workers {
            thread.join().ok().context("the analysis broke down")?;
        }
        drop(self.stop);
        self.collector.join().ok().context("the counting broke down")?.finish()?;
        Ok(())
    }
}
