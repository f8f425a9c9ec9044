//! A capture by kernel programs, while it runs and at its end, whichever way DNS comes up from them.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;
use pktvisor_api as api;
use pktvisor_capture::attach::{Attached, Attacher};
use pktvisor_capture::promiscuous::Promiscuous;

use super::drain::DrainThread;
use super::shared::Shared;
use super::spawn;
use crate::agent::Agent;

/// The threads, and what they depend on.
pub(super) struct Programs {
    shared: Arc<Shared>,
    attachments: Attachments,
    /// Hung up to stop the drain thread.
    stop: SyncSender<()>,
    drain: JoinHandle<DrainThread>,
    /// They take up and analyse DNS.
    deep: Vec<JoinHandle<()>>,
}

/// What takes the programs off when it is dropped, or joined.
pub(super) enum Attachments {
    /// Of one interface, whose addresses a thread follows.
    One(Box<(Attached, Attacher)>, JoinHandle<()>),
    /// Of a mirror port.
    Tap(#[expect(dead_code, reason = "held for its drop")] Box<(Attached, Attacher, Promiscuous)>),
    /// Of all, by a thread that follows them.
    Any(JoinHandle<()>),
}

impl Programs {
    /// Starts the drain thread beside the deep ones.
    pub(super) fn run(
        shared: Arc<Shared>,
        attachments: Attachments,
        drain: DrainThread,
        deep: Vec<JoinHandle<()>>,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = sync_channel(0);
        let drain = spawn("drain", move || drain.run(&stopped))?;
        Ok(Self { shared, attachments, stop, drain, deep })
    }

    /// Takes the programs off, analyses what is still on its way, and closes the ledger.
    ///
    /// # Errors
    ///
    /// The last counters cannot be read, or a thread broke down.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.shared.detach();
        match self.attachments {
            tap @ Attachments::Tap(..) => drop(tap),
            Attachments::One(attached, thread) => {
                drop(attached);
                thread.join().ok().context("the watch over the addresses broke down")?;
            }
            Attachments::Any(thread) => {
                thread.join().ok().context("the watch over the interfaces broke down")?;
            }
        }
        self.shared.stop();
        for thread in self.deep {
            thread.join().ok().context("the analysis broke down")?;
        }
        drop(self.stop);
        self.drain.join().ok().context("the counting broke down")?.finish()?;
        Ok(())
    }
}

/// What an interface's hooks are, for the operator.
pub(super) fn tell_attached(agent: &Agent, attached: &Attached) {
    for note in &attached.notes {
        tracing::info!("{note}");
        agent.note(note.clone());
    }
    agent.attached(api::CaptureInterface {
        name: attached.interface.clone(),
        ingress: attached.ingress.to_string(),
        egress: attached.egress.map(|hook| hook.to_string()),
    });
}
