//! The binary `pktvisord` as a server: start it, send HTTP requests, stop it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// Longer than any test takes, unless the agent hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `pktvisord --serve`; killed when dropped.
pub(crate) struct Served {
    child: Child,
    address: SocketAddr,
    stdout: BufReader<ChildStdout>,
    /// Lines on stderr, without the one that names the address.
    stderr: Arc<Mutex<String>>,
    /// Ends with stderr.
    reader: Option<JoinHandle<()>>,
}

impl Served {
    /// Starts it on a free port of 127.0.0.1 and waits until it listens.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn start(words: &[&str]) -> Self {
        Self::start_with(words, &[])
    }

    /// Starts it with these environment variables.
    pub(crate) fn start_with(words: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
        command.args(["--serve", "-l", "127.0.0.1", "-p", "0"]).args(words).env_remove("RUST_LOG");
        command.envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut traces = String::new();
        let address = listening_address(&mut stderr, &mut traces).unwrap_or_else(|line| {
            // Nothing else ends it if the test fails here.
            child.kill().and_then(|()| child.wait()).unwrap();
            panic!("{line}")
        });
        let text = Arc::new(Mutex::new(traces));
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        Self { child, address, stdout, stderr: text, reader: Some(reader) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes its stdin.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// The address that it listens on.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The line of the finished capture.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// The text on stderr since it began to listen.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Status and body of a GET.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// The JSON at a path.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Sends a signal by the shell's built-in kill, because a small system has no program of that
    /// name.
    pub(crate) fn signal(&self, signal: &str) {
        let line = format!("kill -s {signal} {}", self.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Sends a signal and waits for the end. Returns its status and the rest of stdout and stderr.
    pub(crate) fn stop(mut self, signal: &str) -> (ExitStatus, String, String) {
        self.signal(signal);
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.reader.take().unwrap().join().unwrap();
        (self.child.wait().unwrap(), stdout, self.stderr())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the address from the line that names it, which only traces may precede. Returns any other
/// line as an error.
fn listening_address(stderr: &mut BufReader<ChildStderr>, traces: &mut String) -> Result<SocketAddr, String> {
    loop {
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        if line.contains(" TRACE ") {
            *traces += &line;
            continue;
        }
        let url = line.split_once("listening on http").and_then(|(_, url)| url.split_once("://"));
        let address = url.and_then(|(_, rest)| rest.trim_end().trim_end_matches('/').parse().ok());
        return address.ok_or(line);
    }
}
