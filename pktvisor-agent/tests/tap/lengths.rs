//! Which packets fit into a socket's frames.

use pktvisor_capture::kernel::RecordSource;
use pktvisor_capture::tap::{QueueStatistics, TapQueue};
use testbed::{End, FrameSocket, Namespace, Need, Veth};

use crate::sockets::{frame, receive, tap};

/// Sends packets of these lengths and returns the lengths of those that arrive.
fn arriving(sender: &FrameSocket, queue: &mut TapQueue, lens: &[usize]) -> Vec<usize> {
    for (n, len) in (0..).zip(lens) {
        sender.send(&frame(*len, 0x0800, n));
    }
    receive(queue).iter().map(|(_, bytes)| bytes.len()).collect()
}

fn lost(queue: &mut TapQueue) -> QueueStatistics {
    queue.upkeep().unwrap();
    queue.statistics().read()
}

fn set_mtu(end: &End, mtu: &str) {
    end.namespace().ip(&["link", "set", end.name(), "mtu", mtu]);
}

#[test]
fn packets_with_two_tags_fit_and_packets_of_an_mtu_that_grew_are_counted_as_lost() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(1770).create();
    let (mut tap, _attached) = tap(&pair.right);
    let queue = &mut tap.queues[0];
    let sender = FrameSocket::open(&left, pair.left.name());
    assert_eq!(arriving(&sender, queue, &[60, 1784]), [60, 1784]);
    [&pair.left, &pair.right].into_iter().for_each(|end| set_mtu(end, "3000"));
    assert_eq!(arriving(&sender, queue, &[1792, 1793, 3014, 60]), [1792, 60]);
    assert_eq!(lost(queue), QueueStatistics { lost_no_frame: 2, ..QueueStatistics::default() });
}

#[test]
fn packets_of_a_large_mtu_fit() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3000).create();
    let (mut tap, _attached) = tap(&pair.right);
    let queue = &mut tap.queues[0];
    let sender = FrameSocket::open(&left, pair.left.name());
    assert_eq!(arriving(&sender, queue, &[60, 1793, 3014]), [60, 1793, 3014]);
    assert_eq!(lost(queue), QueueStatistics::default());
}
