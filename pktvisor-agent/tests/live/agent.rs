//! The agent inside a namespace.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pktvisor_api::{App, Ledger, Period, PeriodDocument, SecondSeries, SeriesDocument};
use testbed::{Namespace, Process, http};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pktvisord");
/// Every namespace has its own.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);
/// Longer than any test takes, unless the agent hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// The agent gives up gaps in TCP streams after two seconds, and publishes its numbers once a second.
/// Numbers that have not changed for longer are final.
const UNCHANGED: Duration = Duration::from_millis(3300);

/// The file that `cargo xtask build-ebpf` writes the kernel programs to, which the agent contains.
pub(crate) fn kernel_programs() -> PathBuf {
    let crate_root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_root.join("../pktvisor-ebpf/target/bpfel-unknown-none/release/pktvisor-ebpf")
}

/// Returns from the test unless namespaces can be made and the agent has its kernel programs.
macro_rules! require_kernel_programs {
    ($($need:expr),* $(,)?) => {
        testbed::require!(
            testbed::Need::Namespaces,
            testbed::Need::File(&crate::agent::kernel_programs()),
            $($need),*
        )
    };
}
pub(crate) use require_kernel_programs;

/// A running `pktvisord`; killed when dropped.
pub(crate) struct Agent {
    process: Process,
    namespace: Namespace,
    stderr: Arc<Mutex<String>>,
}

/// The answers of the agent after it has counted all packets.
pub(crate) struct Settled {
    /// All periods since the start, merged.
    pub(crate) period: Period,
    pub(crate) app: App,
}

impl Settled {
    pub(crate) fn ledger(&self) -> Ledger {
        self.app.app.ledger.unwrap_or_default()
    }
}

impl Agent {
    /// Starts it with these arguments and waits until it captures.
    pub(crate) fn start(namespace: &Namespace, words: &[&str]) -> Self {
        let mut command = namespace.command(PROGRAM);
        command.args(["-l", "127.0.0.1"]).args(words).env_remove("RUST_LOG");
        let mut process =
            Process::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()));
        let stderr = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(process.child().stderr.take().unwrap()), Arc::clone(&stderr));
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let mut agent = Self { process, namespace: namespace.clone(), stderr };
        agent.wait_until_it_captures();
        agent
    }

    fn wait_until_it_captures(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !matches!(http::get(&self.namespace, SERVER, "/healthz"), Ok((200, _))) {
            if let Some(status) = self.process.child().try_wait().unwrap() {
                // Its last message may not have been read yet.
                thread::sleep(Duration::from_millis(50));
                panic!("pktvisord ended with {status}: {}", self.stderr());
            }
            assert!(Instant::now() < deadline, "pktvisord does not begin: {}", self.stderr());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The text on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    pub(crate) fn app(&self) -> App {
        serde_json::from_value(self.json("/api/v1/metrics/app")).unwrap()
    }

    /// Status and body of `/healthz`.
    pub(crate) fn health(&self) -> (u16, String) {
        http::get(&self.namespace, SERVER, "/healthz").unwrap()
    }

    /// The JSON at a path.
    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        http::json(&self.namespace, SERVER, path)
    }

    /// The text at a path.
    pub(crate) fn text(&self, path: &str) -> String {
        http::get(&self.namespace, SERVER, path).unwrap().1
    }

    /// All periods kept, merged.
    pub(crate) fn period(&self) -> Period {
        let path = "/api/v1/metrics/window/5";
        let document: PeriodDocument = serde_json::from_value(self.json(path)).unwrap();
        document.into_values().next().unwrap()
    }

    /// The last seconds.
    pub(crate) fn series(&self) -> SecondSeries {
        let path = "/api/v1/metrics/series";
        let document: SeriesDocument = serde_json::from_value(self.json(path)).unwrap();
        document.series
    }

    /// One period; `None` if it is not filled yet.
    pub(crate) fn bucket(&self, n: usize) -> Option<Period> {
        let (status, body) =
            http::get(&self.namespace, SERVER, &format!("/api/v1/metrics/bucket/{n}")).unwrap();
        let document: Option<PeriodDocument> = (status == 200).then(|| serde_json::from_str(&body).unwrap());
        document?.into_values().next()
    }

    /// Waits until at least so many packets have been seen and the numbers do not change any more.
    pub(crate) fn settled(&self, packets: u64) -> Settled {
        self.settle(packets, |ledger| ledger.seen)
    }

    /// Waits until at least so many DNS packets have been seen and no more arrive. For `any`, where
    /// the agent also counts the HTTP requests of the test.
    pub(crate) fn settled_dns(&self, packets: u64) -> Settled {
        self.settle(packets, |ledger| ledger.dns_packets)
    }

    fn settle(&self, packets: u64, count: impl Fn(&Ledger) -> u64) -> Settled {
        let deadline = Instant::now() + PATIENCE;
        let mut last = (0, 0, 0);
        let mut since = Instant::now();
        loop {
            let now = Settled { period: self.period(), app: self.app() };
            let ledger = now.ledger();
            let state = (count(&ledger), ledger.pending, now.period.dns.xact.counts.total);
            if state != last {
                (last, since) = (state, Instant::now());
            }
            if state.0 >= packets && since.elapsed() >= UNCHANGED {
                return now;
            }
            assert!(
                Instant::now() < deadline,
                "waiting for {packets} packets: {ledger:?}\n{}",
                self.stderr()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn signal(&self, signal: i32) {
        self.process.signal(signal);
    }

    pub(crate) fn kill(&mut self) {
        self.process.signal(libc::SIGKILL);
        self.process.wait(PATIENCE);
    }

    /// Ends it as a service manager does. Returns its exit status and the text on stderr.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.process.signal(libc::SIGTERM);
        let status = self.process.wait(PATIENCE);
        thread::sleep(Duration::from_millis(50));
        (status, self.stderr())
    }
}

/// Runs the agent to its end: for wrong options, and for files.
pub(crate) fn run(namespace: &Namespace, words: &[&str]) -> Output {
    let mut command = namespace.command(PROGRAM);
    command.args(["-l", "127.0.0.1"]).args(words).env_remove("RUST_LOG").output().unwrap()
}

/// Asserts what is true of every ledger at any time.
pub(crate) fn assert_balanced(ledger: &Ledger) {
    let Ledger { seen, filtered, counted, dns_packets, not_chosen, delivered, lost, pending, .. } = *ledger;
    assert_eq!(seen, filtered + counted, "{ledger:?}");
    assert_eq!(dns_packets, not_chosen + delivered + lost + pending, "{ledger:?}");
    assert_eq!(delivered, ledger.analysed + ledger.malformed + ledger.without_message, "{ledger:?}");
}
