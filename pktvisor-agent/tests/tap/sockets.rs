//! Packets that the program hands over arrive with their records, and losses are counted.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;
use pktvisor_capture::kernel::{Deep, RecordSource, monotonic_ns};
use pktvisor_capture::tap::{QueueStatistics, Tap, TapQueue, check_unused};
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_common::sharding::Shards;
use testbed::{End, FrameSocket, Namespace, Need, Veth};

use crate::program::Attached;

/// A broadcast frame of this length with this EtherType; a number stands behind it.
pub(crate) fn frame(len: usize, ethertype: u16, number: u32) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame.extend_from_slice(&number.to_be_bytes());
    frame.resize(len, number as u8);
    frame
}

pub(crate) fn tap(end: &End) -> (Tap, Attached) {
    tap_with(end, Attached::attach)
}

fn tap_with(end: &End, attach: impl FnOnce(&mut Attached, u32) + Send) -> (Tap, Attached) {
    end.namespace().run(|| {
        let ifindex = if_nametoindex(end.name()).unwrap();
        let mut attached = Attached::new(64);
        let tap = Tap::open(end.name(), ifindex, Shards::ONE, |queue, socket| attached.insert(queue, socket))
            .unwrap();
        attach(&mut attached, ifindex);
        (tap, attached)
    })
}

/// Everything until nothing has come for a while.
pub(crate) fn receive(queue: &mut TapQueue) -> Vec<(RecordHeader, Vec<u8>)> {
    let mut received = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(200) {
        while queue.next_ns().is_some() {
            queue.take_next(|header, bytes| received.push((*header, bytes.to_vec())));
            last = Instant::now();
        }
        queue.release();
    }
    received
}

#[test]
fn chosen_packets_arrive_with_their_records_and_the_others_are_dropped() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut tap, _attached) = tap(&pair.right);
    // veth cannot do without copying.
    assert!(!tap.is_zero_copy());
    assert_eq!((tap.queues.len(), tap.notes.len()), (1, 0));
    // Behind the program, where the host would be.
    let host = FrameSocket::open(&right, pair.right.name());
    let sender = FrameSocket::open(&left, pair.left.name());
    let lens: Vec<_> = (60..=1514).step_by(11).collect();
    for (n, len) in (0..).zip(&lens) {
        sender.send(&frame(*len, 0x0800, n));
        sender.send(&frame(*len, 0x88b5, n));
    }
    let received = receive(&mut tap.queues[0]);
    assert_eq!(received.len(), lens.len());
    let ifindex = right.run(|| if_nametoindex(pair.right.name()).unwrap());
    for ((n, len), (header, bytes)) in (0..).zip(&lens).zip(&received) {
        assert_eq!(bytes, &frame(*len, 0x0800, n));
        assert_eq!((header.wire_len as usize, header.ifindex, header.packets), (*len, ifindex, 1));
    }
    assert!(received.is_sorted_by_key(|(header, _)| header.timestamp_ns));
    assert_eq!(host.receive(Duration::from_millis(50)), None);
}

#[test]
fn packets_of_drivers_without_room_for_records_are_stamped_when_they_are_read() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut tap, _attached) = tap_with(&pair.right, Attached::attach_without_record);
    let sender = FrameSocket::open(&left, pair.left.name());
    let before = monotonic_ns();
    for n in 0..100 {
        sender.send(&frame(80, 0x0800, n));
    }
    let received = receive(&mut tap.queues[0]);
    assert_eq!(received.len(), 100);
    for (n, (header, bytes)) in (0..).zip(&received) {
        assert_eq!(bytes, &frame(80, 0x0800, n));
        assert_eq!((header.wire_len, header.packets, header.link_type), (80, 1, 1));
        assert!(header.timestamp_ns >= before && header.timestamp_ns <= monotonic_ns());
    }
}

#[test]
fn frames_are_used_again_and_again() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut tap, _attached) = tap(&pair.right);
    let sender = FrameSocket::open(&left, pair.left.name());
    for round in 0..5 {
        for n in 0..5000 {
            sender.send(&frame(100, 0x0800, n));
        }
        let received = receive(&mut tap.queues[0]);
        assert_eq!(received.len(), 5000, "round {round}");
        assert!((0..).zip(&received).all(|(n, (_, bytes))| bytes[14..18] == u32::to_be_bytes(n)));
    }
}

#[test]
fn every_queue_has_its_socket() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).queues(4).create();
    let (mut tap, _attached) = tap(&pair.right);
    assert_eq!(tap.queues.iter().map(TapQueue::number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let sender = FrameSocket::open(&left, pair.left.name());
    for n in 0..1000 {
        sender.send(&frame(100, 0x0800, n));
    }
    let received: usize = tap.queues.iter_mut().map(|queue| receive(queue).len()).sum();
    assert_eq!(received, 1000);
}

#[test]
fn the_sockets_of_a_queue_use_the_same_frames_again_and_again() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let mut attached = Attached::new(64);
    let mut tap = right.run(|| {
        let ifindex = if_nametoindex(pair.right.name()).unwrap();
        // The program knows the first place only: whichever socket is put there last gets the
        // packets.
        let insert = |_, socket: BorrowedFd<'_>| attached.insert(0, socket);
        let tap = Tap::open(pair.right.name(), ifindex, Shards::new(3), insert).unwrap();
        attached.attach(ifindex);
        tap
    });
    assert_eq!(tap.queues.iter().map(TapQueue::number).collect::<Vec<_>>(), [0, 0, 0]);
    let sender = FrameSocket::open(&left, pair.left.name());
    for round in 0..12 {
        let shard = round % 3;
        attached.insert(0, tap.queues[shard].fd()).unwrap();
        for n in 0..3000 {
            sender.send(&frame(100, 0x0800, n));
        }
        let received = receive(&mut tap.queues[shard]);
        assert_eq!(received.len(), 3000, "round {round}");
        assert!((0..).zip(&received).all(|(n, (_, bytes))| bytes[14..18] == u32::to_be_bytes(n)));
    }
    assert!(tap.queues.iter_mut().all(|queue| queue.next_ns().is_none()));
}

#[test]
fn packets_of_several_queues_come_in_the_order_of_time() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).queues(4).create();
    let (mut tap, _attached) = tap(&pair.right);
    let sender = FrameSocket::open(&left, pair.left.name());
    for n in 0..2000_u32 {
        let mut frame = frame(100, 0x0800, n);
        // UDP from different sources, so that packets take all queues.
        frame[14..18].copy_from_slice(&[0x45, 0, 0, 86]);
        frame[23] = 17;
        frame[26..30].copy_from_slice(&n.to_be_bytes());
        sender.send(&frame);
    }
    assert!(tap.queues.iter_mut().map(TapQueue::fill).filter(|fill| *fill > 0.0).count() > 1);
    let mut deep = Deep::new(std::mem::take(&mut tap.queues));
    let (mut stamps, began) = (Vec::new(), Instant::now());
    while stamps.len() < 2000 && began.elapsed() < Duration::from_secs(5) {
        deep.poll(monotonic_ns(), 300, |header, _| stamps.push(header.timestamp_ns));
    }
    assert_eq!(stamps.len(), 2000);
    assert!(stamps.is_sorted());
    assert_eq!((deep.fill(), deep.upkeep().len()), (0.0, 0));
}

#[test]
fn what_came_a_moment_ago_waits_for_what_came_before_it() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut tap, _attached) = tap(&pair.right);
    let mut deep = Deep::new(std::mem::take(&mut tap.queues));
    let sender = FrameSocket::open(&left, pair.left.name());
    let before_ns = monotonic_ns();
    sender.send(&frame(100, 0x0800, 0));
    thread::sleep(Duration::from_millis(10));
    let untaken = |_: &RecordHeader, _: &[u8]| panic!("taken too early");
    assert_eq!(deep.poll(before_ns + TapQueue::DELAY_NS, 10, untaken), 0);
    assert!(deep.fill() > 0.0);
    assert_eq!(deep.poll(monotonic_ns(), 10, |_, bytes| assert_eq!(bytes.len(), 100)), 1);
    assert_eq!(deep.fill(), 0.0);
}

#[test]
fn what_finds_no_frame_is_counted_as_lost() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3500).create();
    let (mut tap, _attached) = tap(&pair.right);
    let queue = &mut tap.queues[0];
    let statistics = queue.statistics();
    assert_eq!(statistics.read(), QueueStatistics::default());
    let sender = FrameSocket::open(&left, pair.left.name());
    for n in 0..10_000 {
        sender.send(&frame(100, 0x0800, n));
    }
    let arrived = receive(queue).len() as u64;
    queue.upkeep().unwrap();
    assert!(arrived < 10_000);
    assert_eq!(arrived + statistics.read().lost(), 10_000, "{:?}", statistics.read());
    assert!(statistics.read().starved > 0);
}

#[test]
fn that_an_interface_is_gone_is_told_once() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut tap, mut attached) = tap(&pair.right);
    let mut deep = Deep::new(std::mem::take(&mut tap.queues));
    assert_eq!(deep.upkeep().len(), 0);
    attached.detach();
    drop(pair);
    let began = Instant::now();
    let ended = loop {
        let ended = deep.upkeep();
        if !ended.is_empty() || began.elapsed() > Duration::from_secs(5) {
            break ended;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(ended[0].raw_os_error(), Some(libc::ENETDOWN));
    assert_eq!(deep.upkeep().len(), 0);
}

#[test]
fn a_queue_has_one_owner() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (_tap, attached) = tap(&pair.right);
    let error = right.run(|| {
        let ifindex = if_nametoindex(pair.right.name()).unwrap();
        Tap::open(pair.right.name(), ifindex, Shards::ONE, |queue, socket| attached.insert(queue, socket))
            .unwrap_err()
    });
    let text = error.to_string();
    assert!(text.contains("AF_XDP socket") && text.contains("queue 0") && text.contains("busy"), "{text}");
}

#[test]
fn an_interface_is_promiscuous_while_it_is_tapped() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let promiscuity = || right.ip(&["-d", "link", "show", pair.right.name()]).contains("promiscuity 1");
    assert!(!promiscuity());
    let tapped = tap(&pair.right);
    assert!(promiscuity());
    drop(tapped);
    assert!(!promiscuity());
}

#[test]
fn an_interface_with_addresses_or_routes_or_in_a_bridge_is_in_use() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let name = pair.right.name();
    let check = || right.run(|| check_unused(name, &[]).map_err(|error| error.to_string()));
    assert_eq!(check(), Ok(()));
    right.ip(&["route", "add", "192.0.2.0/24", "dev", name]);
    assert!(check().unwrap_err().starts_with(&format!("{name} has a route to 192.0.2.0: ")));
    right.ip(&["route", "replace", "default", "dev", name]);
    assert!(check().unwrap_err().starts_with(&format!("{name} has the default route: ")));
    right.ip(&["route", "flush", "dev", name]);
    assert_eq!(check(), Ok(()));
    right.ip(&["link", "add", "pkvbr", "type", "bridge"]);
    right.ip(&["link", "set", name, "master", "pkvbr"]);
    assert!(check().unwrap_err().starts_with(&format!("{name} has pkvbr on top of it: ")));
}
