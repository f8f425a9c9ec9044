//! Clients: dnsperf with a fixed rate, and a sender of arbitrary datagrams.

use std::fs;
use std::net::UdpSocket;
use std::ops::Range;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::{Namespace, Process};

use crate::network::{RESOLVER, client};

/// Longer than any scenario.
const SECONDS: &str = "600";

/// How a client sends its queries.
#[derive(Clone, Copy)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// A client that queries until it is dropped.
pub(crate) struct Client {
    _process: Process,
    _directory: TempDir,
}

impl Client {
    /// Sends these queries (a data file of dnsperf) again and again from the address of the n-th
    /// client.
    pub(crate) fn start(
        namespace: &Namespace,
        n: u32,
        queries_per_second: u32,
        transport: Transport,
        queries: &str,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queries");
        fs::write(&path, queries).unwrap();
        let mode = match transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        let mut command = namespace.command("dnsperf");
        command.args(["-m", mode, "-s", RESOLVER, "-a", &client(n), "-l", SECONDS]);
        // It waits for no answer before it sends the next query.
        command.args(["-q", "60000", "-Q", &queries_per_second.to_string(), "-d"]).arg(&path);
        let process =
            Process::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()));
        Self { _process: process, _directory: directory }
    }
}

/// Clients that send datagrams until they are dropped, and read no answers.
pub(crate) struct DatagramSenders {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DatagramSenders {
    /// Sends these datagrams, by turns from the addresses of these clients.
    pub(crate) fn start(
        namespace: &Namespace,
        clients: Range<u32>,
        per_second: u32,
        mut datagrams: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Self {
        let open = |n| {
            let socket = UdpSocket::bind((&*client(n), 0)).unwrap();
            socket.connect((RESOLVER, 53)).unwrap();
            socket
        };
        let sockets: Vec<UdpSocket> = namespace.run(|| clients.map(open).collect());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let start = Instant::now();
            for (n, socket) in (0..).zip(sockets.iter().cycle()) {
                let due = Duration::from_secs(1) * n / per_second;
                thread::sleep(due.saturating_sub(start.elapsed()));
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Some(datagram) = datagrams.next() else { return };
                // The error may be the ICMP answer to an earlier datagram.
                let _ = socket.send(&datagram);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for DatagramSenders {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
