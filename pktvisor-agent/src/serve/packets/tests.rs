//! Streams of packets.

use capture_file::Capture;
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::Stamp;
use pktvisor_metrics::watch::{MessageFilter, Watches};

use super::*;

fn packet(data: &[u8]) -> Packet<'_> {
    let (link_type, wire_len) = (LinkType(1), 1500);
    Packet {
        timestamp_ns: 1_700_000_000_000_000_001,
        stamp: Stamp::Own,
        data,
        wire_len,
        link_type,
        segments: 1,
    }
}

fn stream(packets: u64, seconds: u64) -> (Arc<StreamQueue>, PacketStream, Arc<Watches>) {
    let watches = Arc::new(Watches::default());
    let (queue, queued) = StreamQueue::new();
    let watch = watches.packets(MessageFilter::default(), queue.clone()).unwrap();
    let stream = PacketStream::new(queue.clone(), queued, watch, PacketBounds { packets, seconds });
    (queue, stream, watches)
}

/// The next part; `None` at the end.
async fn part(stream: &mut PacketStream) -> Option<Bytes> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await.map(Result::unwrap)
}

async fn rest(stream: &mut PacketStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(part) = part(stream).await {
        bytes.extend_from_slice(&part);
    }
    bytes
}

fn count(bytes: Vec<u8>) -> u64 {
    let mut capture = Capture::from_reader(std::io::Cursor::new(bytes)).unwrap();
    let count = std::iter::from_fn(|| capture.next_packet().unwrap().map(|_| ())).count();
    assert!(capture.warning().is_none(), "{:?}", capture.warning());
    count as u64
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_stream_ends_at_its_limit_and_closes_its_watch() {
    let (queue, mut stream, watches) = stream(3, 300);
    (0..5).for_each(|n| queue.packet(&packet(&[n; 60])));
    let bytes = rest(&mut stream).await;
    assert!(contains(
        &bytes,
        "packets written: 3; dropped because the client was too slow: 0; ended by limit=3"
    ));
    assert!(watches.current().is_none());
    assert_eq!(count(bytes), 3);
}

#[tokio::test]
async fn a_stream_ends_when_its_seconds_are_over() {
    let (queue, mut stream, watches) = stream(100, 1);
    queue.packet(&packet(&[1; 60]));
    let begun = Instant::now();
    let bytes = rest(&mut stream).await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(contains(
        &bytes,
        "packets written: 1; dropped because the client was too slow: 0; ended by seconds=1"
    ));
    assert!(watches.current().is_none());
    assert_eq!(count(bytes), 1);
}

#[tokio::test]
async fn packets_that_do_not_fit_into_the_queue_are_dropped_and_counted() {
    let (queue, mut stream, _watches) = stream(100_000, 1);
    (0..5000).for_each(|_| queue.packet(&packet(&[0; 60])));
    assert_eq!(queue.dropped.load(Ordering::Relaxed), 5000 - QUEUE_PACKETS as u64);
    let bytes = rest(&mut stream).await;
    assert!(contains(&bytes, "packets written: 1024; dropped because the client was too slow: 3976;"));
    assert_eq!(count(bytes), QUEUE_PACKETS as u64);
    assert_eq!(queue.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn the_bytes_of_the_queue_are_bounded() {
    let (queue, _queued) = StreamQueue::new();
    let large = vec![0; QUEUE_BYTES / 4];
    (0..10).for_each(|_| queue.packet(&packet(&large)));
    assert_eq!(queue.dropped.load(Ordering::Relaxed), 6);
    assert_eq!(queue.bytes.load(Ordering::Relaxed), QUEUE_BYTES);
}

#[tokio::test]
async fn a_silent_stream_still_sends() {
    let (_queue, mut stream, _watches) = stream(10, 300);
    part(&mut stream).await.unwrap();
    let begun = Instant::now();
    part(&mut stream).await.unwrap();
    assert!(begun.elapsed() > SILENCE / 2);
}

#[tokio::test]
async fn a_client_that_goes_closes_its_watch() {
    let (_queue, stream, watches) = stream(10, 300);
    assert!(watches.current().is_some());
    drop(stream);
    assert!(watches.current().is_none());
}
