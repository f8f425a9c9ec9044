//! The network that the agent is put into, and the agent as an ordinary user.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use testbed::{FrameSocket, Namespace, Process, Veth, http};

const SERVER: &str = "127.0.0.1:10853";

/// A namespace whose one interface has its other end in another.
pub(super) struct Network {
    pair: testbed::VethPair,
    other: Namespace,
    pub(super) watched: Namespace,
    sender: FrameSocket,
}

impl Network {
    pub(super) fn new() -> Self {
        let (other, watched) = (Namespace::new(), Namespace::new());
        Self::between(other, watched)
    }

    fn between(other: Namespace, watched: Namespace) -> Self {
        let pair = Veth::new(&other, &watched).names("pkvother", "pkvwatched").create();
        let sender = FrameSocket::open(&other, "pkvother");
        Self { pair, other, watched, sender }
    }

    /// The same with new interfaces, while the agent runs.
    pub(super) fn plugged_again(self) -> Self {
        let Self { pair, other, watched, sender } = self;
        drop((sender, pair));
        Self::between(other, watched)
    }

    /// Waits until the agent sees `pkvwatched` in this state.
    pub(super) fn wait_for_state(&self, state: &str) {
        // The old state may be seen at first.
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        loop {
            let app = self.app();
            let interfaces = app["capture"]["interfaces"].as_array().unwrap();
            let is_there = |interface: &serde_json::Value| {
                interface["name"] == "pkvwatched" && interface["state"] == state
            };
            if interfaces.iter().any(is_there) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{app}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The agent as an ordinary user with these capabilities, such as `+bpf,+net_admin`, once it
    /// watches `watched`: loading programs takes a while.
    pub(super) fn agent(&self, capabilities: &str, words: &[&str], watched: &str) -> Process {
        self.agent_limited(None, capabilities, words, watched)
    }

    /// The same agent under a limit of prlimit(1).
    pub(super) fn agent_limited(
        &self,
        limit: Option<&str>,
        capabilities: &str,
        words: &[&str],
        watched: &str,
    ) -> Process {
        let mut command = self.watched.command(if limit.is_some() { "prlimit" } else { "setpriv" });
        if let Some(limit) = limit {
            command.args([limit, "setpriv"]);
        }
        let capabilities = format!("-all,{capabilities}");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.args([
            "--inh-caps",
            &capabilities,
            "--ambient-caps",
            &capabilities,
            "--bounding-set",
            &capabilities,
        ]);
        command.arg(env!("CARGO_BIN_EXE_pktvisord")).args(words).env_remove("RUST_LOG");
        let agent = Process::spawn(&mut command);
        http::wait_until_ok(&self.watched, server(), "/healthz", Duration::from_secs(30));
        self.wait_for_interface(watched);
        agent
    }

    /// Waits until the agent watches the interface.
    pub(super) fn wait_for_interface(&self, name: &str) {
        let began = Instant::now();
        while !self.app()["capture"]["interfaces"].to_string().contains(name) {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", self.app());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(super) fn app(&self) -> serde_json::Value {
        http::json(&self.watched, server(), "/api/v1/metrics/app")["app"].clone()
    }

    /// Sends frames and waits until the agent has counted them.
    pub(super) fn count(&self, frames: u64) {
        let mut frame = vec![0xff; 60];
        frame[12..14].copy_from_slice(&[0x88, 0xb5]);
        let before = self.app()["ledger"]["seen"].as_u64().unwrap();
        for _ in 0..frames {
            self.sender.send(&frame);
        }
        let began = Instant::now();
        while self.app()["ledger"]["seen"].as_u64().unwrap() < before + frames {
            assert!(began.elapsed() < Duration::from_secs(5), "{}", self.app());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

pub(super) fn server() -> SocketAddr {
    SERVER.parse().unwrap()
}
