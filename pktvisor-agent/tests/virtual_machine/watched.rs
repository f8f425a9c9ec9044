//! The agent on one end of a cable, in a namespace of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use pktvisor_api::{App, CaptureInfo, Ledger};
use testbed::{Namespace, Process, http};

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);
/// Longer than any test takes, even if every instruction is emulated, unless the agent hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Watched {
    pub(crate) namespace: Namespace,
    pub(crate) interface: String,
}

impl Watched {
    /// Starts an agent and waits until it captures.
    pub(crate) fn agent(&self, words: &[&str]) -> Process {
        let mut command = self.namespace.command(env!("CARGO_BIN_EXE_pktvisord"));
        let agent = Process::spawn(command.args([&self.interface, "-l", "127.0.0.1"]).args(words));
        http::wait_until_ok(&self.namespace, SERVER, "/healthz", PATIENCE);
        agent
    }

    fn app(&self) -> App {
        serde_json::from_value(http::json(&self.namespace, SERVER, "/api/v1/metrics/app")).unwrap()
    }

    pub(crate) fn capture(&self) -> CaptureInfo {
        self.app().app.capture.unwrap()
    }

    /// Waits for so many packets in the ledger, all of them analysed, and returns it.
    pub(crate) fn ledger(&self, seen: u64) -> Ledger {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ledger = self.app().app.ledger.unwrap_or_default();
            if (ledger.seen >= seen && ledger.pending == 0) || Instant::now() > deadline {
                return ledger;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Ends the agent as an operator would.
pub(crate) fn stop(mut agent: Process) {
    agent.signal(libc::SIGTERM);
    assert!(agent.wait(PATIENCE).success());
}
