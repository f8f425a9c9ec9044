//! A real agent that serves a capture file.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{LONG, Skipped};

/// A real agent that serves a capture file.
pub(crate) struct Agent {
    process: Child,
}

impl Agent {
    pub(crate) fn start(binary: &Path, capture: &Path, port: u16) -> Self {
        Self::with(&[], binary, capture, port)
    }

    pub(crate) fn with(options: &[&str], binary: &Path, capture: &Path, port: u16) -> Self {
        let process = Command::new(binary)
            .arg("--serve")
            .args(options)
            .args(["-p", &port.to_string()])
            .arg(capture)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the agent starts");
        let mut agent = Self { process };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = agent.process.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the agent ended: {ended:?}");
            assert!(started.elapsed() < LONG, "the agent does not listen on {address}");
            thread::sleep(Duration::from_millis(50));
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// `pktvisord` of the same profile, beside the binary under test.
pub(crate) fn agent_binary() -> Result<PathBuf, Skipped> {
    let binary = Path::new(env!("CARGO_BIN_EXE_pktvisor")).with_file_name("pktvisord");
    let help = Command::new(&binary)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Skipped(format!("{} is not built ({error})", binary.display())))?;
    if String::from_utf8_lossy(&help.stdout).contains("--serve") {
        Ok(binary)
    } else {
        Err(Skipped(format!("{} does not know --serve", binary.display())))
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of loopback");
    listener.local_addr().expect("it is bound").port()
}
