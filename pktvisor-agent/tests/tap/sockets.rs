//! What the program hands over arrives, with its record; what is lost is counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;
use pktvisor_agent::capture::kernel::monotonic_ns;
use pktvisor_agent::capture::tap::{Burst, Queue, Sink, Statistics, Tap, check_unused, run};
use pktvisor_common::kernel::record::RecordHeader;
use testbed::{End, Namespace, Need, PacketSocket, Veth};

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
        let tap = Tap::open(end.name(), ifindex, |queue, socket| attached.insert(queue, socket)).unwrap();
        attach(&mut attached, ifindex);
        (tap, attached)
    })
}

/// Everything until nothing has come for a while.
pub(crate) fn receive(queue: &mut Queue) -> Vec<(RecordHeader, Vec<u8>)> {
    let mut received = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(200) {
        let count = queue.receive(|burst| {
            while let Some((header, bytes)) = burst.next_record() {
                received.push((header, bytes.to_vec()));
            }
        });
        if count > 0 {
            last = Instant::now();
        }
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
    let host = PacketSocket::open(&right, pair.right.name());
    let sender = PacketSocket::open(&left, pair.left.name());
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
    let sender = PacketSocket::open(&left, pair.left.name());
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
    let sender = PacketSocket::open(&left, pair.left.name());
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
    assert_eq!(tap.queues.iter().map(Queue::number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let sender = PacketSocket::open(&left, pair.left.name());
    for n in 0..1000 {
        sender.send(&frame(100, 0x0800, n));
    }
    let received: usize = tap.queues.iter_mut().map(|queue| receive(queue).len()).sum();
    assert_eq!(received, 1000);
}

/// Counts.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) packets: u64,
    upkeeps: u64,
}

impl Sink for Counting {
    fn burst(&mut self, burst: &mut Burst<'_>) {
        while burst.next_record().is_some() {
            self.packets += 1;
        }
    }

    fn upkeep(&mut self, fill: f64) {
        assert!((0.0..=1.0).contains(&fill));
        self.upkeeps += 1;
    }
}

#[test]
fn what_finds_no_frame_is_counted_and_a_stop_takes_what_is_there() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3500).create();
    let (mut tap, mut attached) = tap(&pair.right);
    let queue = &mut tap.queues[0];
    let statistics = queue.statistics();
    assert_eq!(statistics.read(), Statistics::default());
    let sender = PacketSocket::open(&left, pair.left.name());
    for n in 0..10_000 {
        sender.send(&frame(100, 0x0800, n));
    }
    attached.detach();
    let mut counting = Counting::default();
    // Told to stop before it has begun.
    run(queue, || true, &mut counting).unwrap();
    assert!(counting.packets < 10_000 && counting.upkeeps == 1);
    assert_eq!(counting.packets + statistics.read().lost(), 10_000, "{:?}", statistics.read());
    assert!(statistics.read().starved > 0);
}

#[test]
fn a_thread_takes_packets_as_they_come_and_ends_with_the_interface() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut tap, mut attached) = tap(&pair.right);
    let mut queue = tap.queues.pop().unwrap();
    let statistics = queue.statistics();
    let stop = AtomicBool::new(false);
    let (counting, ended) = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut counting = Counting::default();
            let ended = run(&mut queue, || stop.load(Ordering::Acquire), &mut counting);
            (counting, ended)
        });
        let sender = PacketSocket::open(&left, pair.left.name());
        for n in 0..500 {
            sender.send(&frame(100, 0x0800, n));
            if n % 100 == 0 {
                // Once asleep, once not.
                thread::sleep(Duration::from_millis(if n % 200 == 0 { 40 } else { 5 }));
            }
        }
        thread::sleep(Duration::from_millis(300));
        attached.detach();
        drop(pair);
        let began = Instant::now();
        while !thread.is_finished() && began.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Release);
        thread.join().unwrap()
    });
    assert_eq!(counting.packets + statistics.read().lost(), 500);
    assert_eq!(statistics.read().lost(), 0);
    assert!(counting.upkeeps >= 3, "{}", counting.upkeeps);
    assert_eq!(ended.unwrap_err().raw_os_error(), Some(libc::ENETDOWN));
}

#[test]
fn a_queue_has_one_owner() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (_tap, attached) = tap(&pair.right);
    let error = right.run(|| {
        let ifindex = if_nametoindex(pair.right.name()).unwrap();
        Tap::open(pair.right.name(), ifindex, |queue, socket| attached.insert(queue, socket)).unwrap_err()
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
