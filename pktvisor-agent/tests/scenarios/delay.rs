//! A proxy in front of a DNS server that delays its answers.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use testbed::Namespace;

/// The proxy looks this often whether it shall end and whether an answer is due.
const TICK: Duration = Duration::from_millis(1);
const LARGEST_MESSAGE: usize = 65_535;

/// A running proxy of DNS over UDP; ends when dropped.
pub(crate) struct DelayingProxy {
    shared: Arc<ProxyControl>,
    thread: Option<JoinHandle<()>>,
}

struct ProxyControl {
    delay_ms: AtomicU64,
    stop: AtomicBool,
}

/// A query on its way: who sent it, with which id.
#[derive(Clone, Copy)]
struct Sender {
    address: SocketAddr,
    id: [u8; 2],
}

/// An answer that waits for its time.
struct Delayed {
    due: Instant,
    to: SocketAddr,
    message: Vec<u8>,
}

impl DelayingProxy {
    /// Listens at one address and passes everything on to the server at the other.
    pub(crate) fn start(namespace: &Namespace, at: &str, server: &str) -> Self {
        let (front, back) = namespace.run(|| {
            (UdpSocket::bind(format!("{at}:53")).unwrap(), UdpSocket::bind(format!("{server}:0")).unwrap())
        });
        back.connect(format!("{server}:53")).unwrap();
        front.set_nonblocking(true).unwrap();
        back.set_nonblocking(true).unwrap();
        let shared = Arc::new(ProxyControl { delay_ms: AtomicU64::new(0), stop: AtomicBool::new(false) });
        let control = Arc::clone(&shared);
        let thread = thread::spawn(move || Relay::new(front, back).run(&control));
        Self { shared, thread: Some(thread) }
    }

    /// From now on answers are delayed by this.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.shared.delay_ms.store(delay.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Drop for DelayingProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The work of the proxy's thread.
struct Relay {
    front: UdpSocket,
    back: UdpSocket,
    /// By the id that the query has behind the proxy.
    senders: Vec<Option<Sender>>,
    next_id: u16,
    delayed: VecDeque<Delayed>,
}

impl Relay {
    fn new(front: UdpSocket, back: UdpSocket) -> Self {
        let senders = vec![None; usize::from(u16::MAX) + 1];
        Self { front, back, senders, next_id: 0, delayed: VecDeque::new() }
    }

    fn run(mut self, control: &ProxyControl) {
        let mut buffer = vec![0; LARGEST_MESSAGE];
        while !control.stop.load(Ordering::Relaxed) {
            self.pass_queries_on(&mut buffer);
            self.take_answers(&mut buffer, Duration::from_millis(control.delay_ms.load(Ordering::Relaxed)));
            self.send_due_answers();
            thread::sleep(TICK);
        }
    }

    fn pass_queries_on(&mut self, buffer: &mut [u8]) {
        while let Ok((length, address)) = self.front.recv_from(buffer) {
            let query = &mut buffer[..length];
            let Some(id) = query.first_chunk_mut() else { continue };
            self.senders[usize::from(self.next_id)] = Some(Sender { address, id: *id });
            *id = self.next_id.to_be_bytes();
            self.next_id = self.next_id.wrapping_add(1);
            // A query that cannot be sent is lost, as on a wire.
            let _ = self.back.send(query);
        }
    }

    fn take_answers(&mut self, buffer: &mut [u8], delay: Duration) {
        while let Ok(length) = self.back.recv(buffer) {
            let mut message = buffer[..length].to_vec();
            let Some(id) = message.first_chunk_mut() else { continue };
            let Some(sender) = self.senders[usize::from(u16::from_be_bytes(*id))].take() else { continue };
            *id = sender.id;
            self.delayed.push_back(Delayed { due: Instant::now() + delay, to: sender.address, message });
        }
    }

    /// An answer is not sent before an earlier one.
    fn send_due_answers(&mut self) {
        while self.delayed.front().is_some_and(|first| first.due <= Instant::now()) {
            if let Some(Delayed { to, message, .. }) = self.delayed.pop_front() {
                let _ = self.front.send_to(&message, to);
            }
        }
    }
}
