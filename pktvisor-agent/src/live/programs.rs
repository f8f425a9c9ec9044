//! A capture by kernel programs, while it runs and at its end, whichever way DNS comes up from them.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;

use super::drain::DrainThread;
use super::running::RunningCapture;
use super::shared::Shared;
use super::spawn;

/// The threads, and what they depend on.
pub(super) struct Programs {
    shared: Arc<Shared>,
    /// It follows the interfaces, and takes the programs off when it ends.
    interfaces: JoinHandle<()>,
    /// Hung up to stop the drain thread.
    stop: SyncSender<()>,
    drain: JoinHandle<DrainThread>,
    /// They take up and analyse DNS.
    deep: Vec<JoinHandle<()>>,
}

impl Programs {
    /// Starts the drain thread beside the deep ones.
    pub(super) fn run(
        shared: Arc<Shared>,
        interfaces: JoinHandle<()>,
        drain: DrainThread,
        deep: Vec<JoinHandle<()>>,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = sync_channel(0);
        let agent = Arc::clone(&drain.agent);
        let drain = spawn(&agent, "drain", move || drain.run(&stopped))?;
        Ok(Self { shared, interfaces, stop, drain, deep })
    }
}

impl RunningCapture for Programs {
    /// Detaches the programs first, so that the worker threads find every remaining packet in the rings.
    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        self.shared.detach();
        self.interfaces.join().ok().context("the watch over the interfaces broke down")?;
        self.shared.stop();
        for thread in self.deep {
            thread.join().ok().context("the analysis broke down")?;
        }
        drop(self.stop);
        self.drain.join().ok().context("the counting broke down")?.finish()?;
        Ok(())
    }
}
