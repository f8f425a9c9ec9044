//! A real Prometheus in a directory of its own, on a free port of 127.0.0.1.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Only a hang takes this long.
const PATIENCE: Duration = Duration::from_secs(150);

/// Killed, with its data, when the test is over.
pub(crate) struct Prometheus {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes the targets each second and evaluates the rules as often.
    pub(crate) fn start(targets: &[String], rules: &Path) -> Self {
        Self::start_with(targets, rules, &[])
    }

    /// The same with further options of its command line.
    pub(crate) fn start_with(targets: &[String], rules: &Path, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let quoted: Vec<String> = targets.iter().map(|target| format!("\"{target}\"")).collect();
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: [\"{}\"]\n\
             scrape_configs:\n- job_name: pktvisor\n  static_configs: [{{targets: [{}]}}]\n",
            rules.canonicalize().unwrap().display(),
            quoted.join(", ")
        );
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, configuration).unwrap();
        let port = free_port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=error")
            .args(options)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port, _directory: directory }
    }

    /// Waits until the expression has a result.
    pub(crate) fn wait_for(&self, expression: &str) {
        let started = Instant::now();
        loop {
            let result = self.try_query(expression);
            if result.as_ref().and_then(Value::as_array).is_some_and(|samples| !samples.is_empty()) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "`{expression}` has no result: {result:?}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// The samples of an expression at this moment.
    pub(crate) fn query(&self, expression: &str) -> Value {
        self.try_query(expression).unwrap()
    }

    fn try_query(&self, expression: &str) -> Option<Value> {
        let escaped: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        Some(self.api(&format!("query?query={escaped}"))?["result"].clone())
    }

    /// The data of a successful answer of its HTTP interface.
    pub(crate) fn api(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        // Version 1.0, so that the answer ends with the connection.
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let body = answer.split_once("\r\n\r\n")?.1;
        let document: Value = serde_json::from_str(body).ok()?;
        assert_eq!(document["status"], "success", "`{path}`: {document}");
        Some(document["data"].clone())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on; another program may take it before Prometheus does.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
