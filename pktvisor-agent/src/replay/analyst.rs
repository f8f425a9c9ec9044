//! The thread that analyses DNS beside the one that reads, classifies and counts packets.
//!
//! The analysis and what it records belong to one thread at a time. The reader hands both over with
//! the first packets of a [stretch](super::divided), and takes them back at its end.

use std::sync::mpsc::{Receiver, SendError, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};
use std::{hint, mem, thread};

use pktvisor_analysis::Analysis;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::Class;
use pktvisor_common::packet::Packet;
use pktvisor_metrics::{Batch, Recorder};

use super::held::PacketBatch;

/// Batches of packets, which are used again and again: some wait, one is analysed, one is filled.
const BATCHES: usize = 12;

/// So many analysed batches go back at once. To wake a thread costs more than to return a batch, and
/// the batches that still wait are enough work until it runs.
const RETURNED: usize = 6;

/// How long a thread polls before it sleeps, where the other one is about to answer: where both meet.
/// A processor that slept needs longer to run again than the answer takes.
const POLLING: Duration = Duration::from_millis(1);

/// Pauses between two polls.
const PAUSES: u32 = 32;

/// Packets of the first batch after a handover, so that the thread has work soon.
const FIRST_PACKETS: usize = 16;

/// The analysis, and what it records.
struct Workplace<'a> {
    analysis: &'a mut Analysis<HostSet>,
    recorder: Recorder,
}

/// What the thread is to do.
enum WorkOrder<'a> {
    Begin(Box<Workplace<'a>>),
    Analyse(PacketBatch),
    End,
}

/// What comes back from the thread.
struct WorkReport<'a> {
    batches: Vec<PacketBatch>,
    /// At the end of a stretch.
    workplace: Option<Box<Workplace<'a>>>,
}

/// The thread has panicked.
#[derive(Debug)]
pub(super) struct AnalystGone;

impl<T> From<SendError<T>> for AnalystGone {
    fn from(_: SendError<T>) -> Self {
        Self
    }
}

/// The reader's end.
pub(super) struct Analyst<'a> {
    orders: SyncSender<WorkOrder<'a>>,
    reports: Receiver<WorkReport<'a>>,
    /// `None` while the thread has it.
    workplace: Option<Box<Workplace<'a>>>,
    spare: Vec<PacketBatch>,
    filling: PacketBatch,
    /// A batch is sent with so many packets.
    enough_packets: usize,
}

/// The thread's end.
pub(super) struct AnalystThread<'a> {
    orders: Receiver<WorkOrder<'a>>,
    reports: SyncSender<WorkReport<'a>>,
}

/// Both ends. `recorder` is empty, with the settings of the store.
pub(super) fn ends<'a>(
    analysis: &'a mut Analysis<HostSet>,
    recorder: Recorder,
) -> (Analyst<'a>, AnalystThread<'a>) {
    // Room for all batches and for the orders around them: no send ever waits.
    let (orders, received_orders) = sync_channel(BATCHES + 4);
    let (reports, received_reports) = sync_channel(BATCHES + 4);
    let analyst = Analyst {
        orders,
        reports: received_reports,
        workplace: Some(Box::new(Workplace { analysis, recorder })),
        spare: (1..BATCHES).map(|_| PacketBatch::default()).collect(),
        filling: PacketBatch::default(),
        enough_packets: FIRST_PACKETS,
    };
    (analyst, AnalystThread { orders: received_orders, reports })
}

impl<'a> Analyst<'a> {
    /// The analysis; `None` while the thread has it.
    #[inline(always)]
    pub(super) fn analysis(&mut self) -> Option<&mut Analysis<HostSet>> {
        self.workplace.as_mut().map(|workplace| &mut *workplace.analysis)
    }

    /// Whether the thread has the analysis.
    #[inline(always)]
    pub(super) fn is_at_work(&self) -> bool {
        self.workplace.is_none()
    }

    /// Hands over the analysis and the messages of the live period.
    pub(super) fn begin(&mut self, batch: &mut Batch<'_>) -> Result<(), AnalystGone> {
        let Some(mut workplace) = self.workplace.take() else { return Ok(()) };
        batch.recorder().exchange_messages(&mut workplace.recorder);
        self.enough_packets = FIRST_PACKETS;
        Ok(self.orders.send(WorkOrder::Begin(workplace))?)
    }

    /// Takes back what was handed over, with all packets analysed.
    pub(super) fn end(&mut self, batch: &mut Batch<'_>) -> Result<(), AnalystGone> {
        if self.workplace.is_some() {
            return Ok(());
        }
        self.send()?;
        self.orders.send(WorkOrder::End)?;
        let mut workplace = loop {
            let report = poll(&self.reports).ok_or(AnalystGone)?;
            if let Some(workplace) = self.take(report) {
                break workplace;
            }
        };
        batch.recorder().exchange_messages(&mut workplace.recorder);
        self.workplace = Some(workplace);
        Ok(())
    }

    /// Adds a packet for the thread.
    #[inline(always)]
    pub(super) fn hold(&mut self, packet: &Packet<'_>, class: &Class) {
        self.filling.add(packet, class);
    }

    /// Sends the packets so far if they are enough.
    #[inline(always)]
    pub(super) fn send_if_enough(&mut self) -> Result<(), AnalystGone> {
        if self.filling.len() < self.enough_packets && !self.filling.is_full() {
            return Ok(());
        }
        self.enough_packets = self.enough_packets.saturating_mul(2);
        self.send()
    }

    /// Moves the time of the analysis, behind all packets so far.
    pub(super) fn advance(&mut self, batch: &mut Batch<'_>) -> Result<(), AnalystGone> {
        match &mut self.workplace {
            Some(workplace) => {
                workplace.analysis.advance(batch.now_ns(), batch.recorder());
                Ok(())
            }
            None => {
                self.filling.advance_to(batch.now_ns());
                self.send()
            }
        }
    }

    fn send(&mut self) -> Result<(), AnalystGone> {
        if self.filling.is_empty() {
            return Ok(());
        }
        let next = loop {
            match self.spare.pop() {
                Some(spare) => break spare,
                None => {
                    let report = self.reports.recv().map_err(|_| AnalystGone)?;
                    self.workplace = self.take(report);
                }
            }
        };
        let full = mem::replace(&mut self.filling, next);
        Ok(self.orders.send(WorkOrder::Analyse(full))?)
    }

    fn take(&mut self, report: WorkReport<'a>) -> Option<Box<Workplace<'a>>> {
        self.spare.extend(report.batches);
        report.workplace
    }
}

impl AnalystThread<'_> {
    /// Works until the reader's end is dropped.
    pub(super) fn run(self) {
        let mut workplace = None;
        let mut batches = Vec::with_capacity(BATCHES);
        // Nobody waits for a report once the reader's end is dropped.
        while let Some(order) = poll(&self.orders) {
            match order {
                WorkOrder::Begin(begun) => workplace = Some(begun),
                WorkOrder::Analyse(mut batch) => {
                    if let Some(workplace) = &mut workplace {
                        batch.analyse(workplace.analysis, &mut workplace.recorder);
                    }
                    batches.push(batch);
                    if batches.len() >= RETURNED {
                        let batches = mem::take(&mut batches);
                        let _ = self.reports.send(WorkReport { batches, workplace: None });
                    }
                }
                WorkOrder::End => {
                    let batches = mem::take(&mut batches);
                    let _ = self.reports.send(WorkReport { batches, workplace: workplace.take() });
                }
            }
        }
    }
}

/// The next value; `None` if the other end is gone. Polls for a while before it sleeps.
fn poll<T>(receiver: &Receiver<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        match receiver.try_recv() {
            Ok(value) => return Some(value),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if started.elapsed() > POLLING => return receiver.recv().ok(),
            Err(TryRecvError::Empty) => {
                (0..PAUSES).for_each(|_| hint::spin_loop());
                // On a busy machine the other one may wait for this processor.
                thread::yield_now();
            }
        }
    }
}
