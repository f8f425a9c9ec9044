//! A thousand clients that send their requests byte by byte (slowloris), and scrapes of the binary
//! beside them.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::captures::demo_path;
use crate::support::Served;

/// Four times as many as the agent has places for.
const SLOW_CLIENTS: usize = 1000;

/// How often each of them sends one byte.
const BYTE_EVERY: Duration = Duration::from_secs(1);

/// A header that has no end.
const BYTES: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nx-slow: ";

/// Scrapes of a round. It lasts longer than the time that the agent grants a header (5 s).
const SCRAPES: usize = 20;
const SCRAPE_EVERY: Duration = Duration::from_millis(300);

/// The limit on each scrape.
const SCRAPE_TIME_MAX: Duration = Duration::from_millis(100);

/// Rounds in which the machine may have been too busy with other work for that limit. The median of
/// each round must keep it.
const ROUNDS_MAX: usize = 3;

/// Clients that connect again each time that the agent closes them.
struct SlowClients {
    server: SocketAddr,
    clients: Vec<(TcpStream, usize)>,
    reconnects: AtomicU64,
}

impl SlowClients {
    fn connect(server: SocketAddr) -> Self {
        let connect = |_| (connected(server), 0);
        let clients = (0..SLOW_CLIENTS).map(connect).collect();
        Self { server, clients, reconnects: AtomicU64::new(0) }
    }

    /// Sends a byte of each client every second until `stop`.
    fn run(&mut self, stop: &AtomicBool) {
        let pause = BYTE_EVERY / SLOW_CLIENTS as u32;
        let mut next = Instant::now();
        for index in (0..SLOW_CLIENTS).cycle().take_while(|_| !stop.load(Ordering::Relaxed)) {
            let (stream, sent) = &mut self.clients[index];
            let byte = BYTES.get(*sent).copied().unwrap_or(b'x');
            *sent += 1;
            match stream.write(&[byte]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_closed) => {
                    self.clients[index] = (connected(self.server), 0);
                    self.reconnects.fetch_add(1, Ordering::Relaxed);
                }
            }
            next += pause;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

fn connected(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_nonblocking(true).unwrap();
    stream
}

/// Ends the slow clients, also if a test fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Raises the soft limit of file descriptors, which is 1,024 on most systems.
fn allow_descriptors(count: u64) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if soft < count {
        setrlimit(Resource::RLIMIT_NOFILE, count.min(hard), hard).unwrap();
    }
}

#[test]
fn a_thousand_slow_clients_leave_scrapes_below_100_ms() {
    let path = demo_path();
    let mut served = Served::start(&["--periods", "60", path.to_str().unwrap()]);
    served.line();
    // After the start of the agent, which inherits the limit.
    allow_descriptors(SLOW_CLIENTS as u64 + 200);
    let mut slow = SlowClients::connect(served.address());
    let stop = AtomicBool::new(false);
    let worst_of_rounds: Vec<Duration> = thread::scope(|scope| {
        let _stop = StopOnDrop(&stop);
        scope.spawn(|| slow.run(&stop));
        // Every slow client has sent a part of its request.
        thread::sleep(BYTE_EVERY + BYTE_EVERY / 2);
        let mut rounds = Vec::new();
        while rounds.len() < ROUNDS_MAX && rounds.last().is_none_or(|worst| *worst >= SCRAPE_TIME_MAX) {
            rounds.push(worst_of_round(&served));
        }
        rounds
    });
    let reconnects = slow.reconnects.load(Ordering::Relaxed);
    println!("the agent closed {reconnects} connections of slow clients");
    assert!(worst_of_rounds.last().unwrap() < &SCRAPE_TIME_MAX, "{worst_of_rounds:?}");
    // The slow clients have taken all places of the agent and kept trying.
    assert!(reconnects as usize >= SLOW_CLIENTS / 2, "only {reconnects} connections were closed");
    drop(slow);
    assert_eq!(served.stop("TERM").0.code(), Some(0));
}

/// The longest scrape of a round.
fn worst_of_round(served: &Served) -> Duration {
    let mut times: Vec<Duration> = (0..SCRAPES).map(|_| scrape(served)).collect();
    times.sort_unstable();
    let (median, worst) = (times[SCRAPES / 2], times[SCRAPES - 1]);
    println!("{SCRAPES} scrapes: median {median:?}, worst {worst:?}");
    assert!(median < SCRAPE_TIME_MAX, "{times:?}");
    worst
}

/// The time of one scrape, from connecting to the last byte. Pauses after it.
fn scrape(served: &Served) -> Duration {
    let began = Instant::now();
    let (status, body) = served.get("/metrics");
    let took = began.elapsed();
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("\npktvisor_packets_seen_total "), "{body}");
    thread::sleep(SCRAPE_EVERY.saturating_sub(took));
    took
}
