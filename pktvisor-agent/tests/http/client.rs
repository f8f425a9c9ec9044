//! A server on a free port, and the simplest client: one request, one connection, everything read
//! to the end.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pktvisor_agent::serve::{Limits, Server};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::source::Fake;

/// Longer than any test takes, unless the agent hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Limits that no test reaches unless it lowers one.
pub(crate) const LIMITS: Limits = Limits {
    connections: 64,
    per_address: 64,
    header: PATIENCE,
    request: PATIENCE,
    idle: PATIENCE,
    shutdown: PATIENCE,
    cache: Duration::from_secs(3600),
};

/// Every path of the interface that answers at once, and one that does not exist.
pub(crate) const PATHS: [&str; 15] = [
    "/",
    "/page.css",
    "/page.js",
    "/api/v1/findings",
    "/api/v1/metrics/app",
    "/api/v1/metrics/rates",
    "/api/v1/metrics/series",
    "/api/v1/metrics/bucket/0",
    "/api/v1/metrics/window/5",
    "/api/v1/metrics/rolling/10",
    "/api/v1/focus?client=192.0.2.1",
    "/metrics",
    "/api/v1/openapi.json",
    "/healthz",
    "/nowhere",
];

/// A running server.
pub(crate) struct Running {
    pub(crate) source: Arc<Fake>,
    pub(crate) addresses: Vec<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        Self::with(LIMITS).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let server = Server::bind("127.0.0.1", 0).await.unwrap().with_limits(limits);
        Self::run(server)
    }

    pub(crate) fn run(server: Server) -> Self {
        let source = Arc::new(Fake::default());
        let (stop, stopped) = oneshot::channel();
        let addresses = server.local_addrs();
        let task = tokio::spawn(server.run(source.clone(), async {
            let _ = stopped.await;
        }));
        Self { source, addresses, stop: Some(stop), task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request("GET", path, "").await
    }

    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str) -> Response {
        request(self.address(), method, path, headers).await
    }

    /// Tells the server to stop, without waiting for it.
    pub(crate) fn signal_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has ended.
    pub(crate) async fn stopped(mut self) {
        self.signal_stop();
        timeout(PATIENCE, self.task).await.expect("the server stops").unwrap();
    }
}

/// The answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn unzipped(&self) -> Vec<u8> {
        assert_eq!(self.header("content-encoding"), Some("gzip"));
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(self.body.as_slice()).read_to_end(&mut plain).unwrap();
        plain
    }

    /// The sentence of an error.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn request(address: SocketAddr, method: &str, path: &str, headers: &str) -> Response {
    let text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    parse(&until_closed(&mut stream).await)
}

/// Everything until the server closes the connection.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection ends");
    bytes
}

fn parse(bytes: &[u8]) -> Response {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole header");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Response { status, headers, body: bytes[end + 4..].to_vec() }
}
