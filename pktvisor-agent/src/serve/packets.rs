//! Streams the packets of matching messages as pcapng.
//!
//! Capture threads put packets into a queue and never wait. A packet for which the queue has no
//! room is dropped and counted; the last block of the stream states how many there were.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use capture_file::write::PcapngEncoder;
use futures_core::Stream;
use hyper::body::Bytes;
use pktvisor_common::packet::Packet;
use pktvisor_metrics::watch::{PacketSink, PacketWatch};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};

/// Packets that wait for the client.
const QUEUE_PACKETS: usize = 1024;

/// Bytes of the packets that wait for the client.
const QUEUE_BYTES: usize = 1 << 20;

/// Bytes after which a part of the stream is sent.
const PART_BYTES: usize = 1 << 16;

/// How often a stream without packets sends a block without contents, so that it ends soon after
/// its client has gone.
const SILENCE: Duration = Duration::from_secs(2);

const PROGRAM: &str = concat!("pktvisord ", env!("CARGO_PKG_VERSION"));

/// When a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketBounds {
    pub(super) packets: u64,
    pub(super) seconds: u64,
}

impl PacketBounds {
    pub(super) const PACKETS_DEFAULT: u64 = 1_000;
    pub(super) const PACKETS_MAX: u64 = 100_000;
    pub(super) const SECONDS_DEFAULT: u64 = 30;
    pub(super) const SECONDS_MAX: u64 = 300;
}

/// The queue between capture threads and a stream.
#[derive(Debug)]
pub(super) struct StreamQueue {
    sender: mpsc::Sender<StreamedPacket>,
    bytes: AtomicUsize,
    received: AtomicU64,
    dropped: AtomicU64,
}

/// The end of a queue from which a stream takes packets.
pub(super) type StreamedPackets = mpsc::Receiver<StreamedPacket>;

#[derive(Debug)]
pub(super) struct StreamedPacket {
    timestamp_ns: u64,
    wire_len: u32,
    link_type: u16,
    data: Box<[u8]>,
}

impl StreamQueue {
    pub(super) fn new() -> (Arc<Self>, StreamedPackets) {
        let (sender, receiver) = mpsc::channel(QUEUE_PACKETS);
        let [received, dropped] = [(); 2].map(|()| AtomicU64::new(0));
        (Arc::new(Self { sender, bytes: AtomicUsize::new(0), received, dropped }), receiver)
    }

    fn drop_one(&self, len: usize) {
        self.bytes.fetch_sub(len, Ordering::Relaxed);
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl PacketSink for StreamQueue {
    fn packet(&self, packet: &Packet<'_>) {
        self.received.fetch_add(1, Ordering::Relaxed);
        let len = packet.data.len();
        let is_full = self.bytes.fetch_add(len, Ordering::Relaxed) + len > QUEUE_BYTES;
        // Before the copy, which is the only expensive step.
        let Some(place) = self.sender.try_reserve().ok().filter(|_| !is_full) else {
            return self.drop_one(len);
        };
        place.send(StreamedPacket {
            timestamp_ns: packet.timestamp_ns,
            wire_len: packet.wire_len,
            link_type: packet.link_type.0,
            data: packet.data.into(),
        });
    }
}

/// The next part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamPart {
    Header,
    Packets,
    End,
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug)]
enum Reason {
    Packets,
    Seconds,
}

/// A pcapng section: its packets are those that reach the queue from now on.
#[derive(Debug)]
pub(super) struct PacketStream {
    queue: Arc<StreamQueue>,
    packets: StreamedPackets,
    /// Dropped at the end, which closes the watch.
    watch: Option<PacketWatch>,
    encoder: PcapngEncoder,
    next: StreamPart,
    bounds: PacketBounds,
    written: u64,
    over: Pin<Box<Sleep>>,
    silence: Pin<Box<Sleep>>,
}

impl PacketStream {
    pub(super) fn new(
        queue: Arc<StreamQueue>,
        packets: StreamedPackets,
        watch: PacketWatch,
        bounds: PacketBounds,
    ) -> Self {
        Self {
            queue,
            packets,
            watch: Some(watch),
            encoder: PcapngEncoder::default(),
            next: StreamPart::Header,
            bounds,
            written: 0,
            over: Box::pin(sleep(Duration::from_secs(bounds.seconds))),
            silence: Box::pin(sleep(SILENCE)),
        }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        self.next = StreamPart::Packets;
        let name = self.watch.as_ref().map_or("", |watch| watch.name());
        let filter = if name.is_empty() { "all DNS packets" } else { name };
        self.encoder.header(out, PROGRAM, &format!("filter: {filter}"));
    }

    /// Appends packets until there is enough for a part. Returns why the stream ends, if it does.
    fn packets(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Option<Reason> {
        while self.written < self.bounds.packets && out.len() < PART_BYTES {
            let Poll::Ready(Some(packet)) = self.packets.poll_recv(cx) else { break };
            let StreamedPacket { timestamp_ns, wire_len, link_type, data } = packet;
            self.queue.bytes.fetch_sub(data.len(), Ordering::Relaxed);
            self.encoder.packet(out, link_type, timestamp_ns, wire_len, &data);
            self.written += 1;
        }
        if self.written >= self.bounds.packets {
            return Some(Reason::Packets);
        }
        self.over.as_mut().poll(cx).is_ready().then_some(Reason::Seconds)
    }

    /// Closes the watch and appends the account of its packets.
    fn end(&mut self, reason: Reason, out: &mut Vec<u8>) {
        self.next = StreamPart::End;
        self.watch = None;
        let dropped = self.queue.dropped.load(Ordering::Relaxed);
        let received = match reason {
            // Those that wait in the queue were not asked for.
            Reason::Packets => self.written + dropped,
            Reason::Seconds => self.queue.received.load(Ordering::Relaxed),
        };
        let dropped = received.saturating_sub(self.written);
        let end = match reason {
            Reason::Packets => format!("limit={}", self.bounds.packets),
            Reason::Seconds => format!("seconds={}", self.bounds.seconds),
        };
        let account = format!(
            "packets written: {}; dropped because the client was too slow: {dropped}; ended by {end}",
            self.written
        );
        self.encoder.statistics(out, now_ns(), received, dropped, &account);
    }
}

impl Stream for PacketStream {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut out = Vec::new();
        match this.next {
            StreamPart::Header => this.header(&mut out),
            StreamPart::Packets => {
                if let Some(reason) = this.packets(cx, &mut out) {
                    this.end(reason, &mut out);
                }
            }
            StreamPart::End => return Poll::Ready(None),
        }
        if out.is_empty() && this.silence.as_mut().poll(cx).is_ready() {
            this.encoder.nothing(&mut out);
        }
        if out.is_empty() {
            return Poll::Pending;
        }
        this.silence.as_mut().reset(Instant::now() + SILENCE);
        Poll::Ready(Some(Ok(out.into())))
    }
}

/// Nanoseconds since 1970.
fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
