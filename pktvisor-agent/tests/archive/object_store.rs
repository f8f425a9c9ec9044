//! An S3 server on loopback: moto, in Python.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server starts within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server with the bucket `fleet`; killed when dropped.
pub(crate) struct ObjectStore {
    child: Child,
    port: u16,
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl ObjectStore {
    /// Starts it; `None` with the reason printed if it is not installed.
    pub(crate) fn start(python: &Path) -> Option<Self> {
        Self::start_on(python, free_port())
    }

    /// Starts it on this port.
    pub(crate) fn start_on(python: &Path, port: u16) -> Option<Self> {
        let has_moto =
            Command::new(python).args(["-c", "import moto.server"]).output().unwrap().status.success();
        if !has_moto {
            println!("skipped: there is no moto[server] (cargo xtask setup --for test)");
            return None;
        }
        let mut command = Command::new(python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, port };
        let started = Instant::now();
        while !server.makes_bucket() {
            assert!(started.elapsed() < PATIENCE, "the S3 server does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn makes_bucket(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let request =
            "PUT /fleet HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }

    /// The number of objects of an agent.
    pub(crate) fn objects(&self, agent: &str) -> usize {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "GET /fleet?list-type=2&prefix=agent%3D{agent}/ HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.matches("<Key>").count()
    }

    /// The environment that leads to it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        variables(self.port)
    }
}

/// The environment that leads to a server on this port.
pub(crate) fn variables(port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ]
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
