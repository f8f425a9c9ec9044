//! `--tls-cert`, `--tls-key`: the server speaks TLS, within the limits of every connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pktvisor_agent::serve::{Limits, Server, ServerIdentity};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use testbed::TestCertificate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{LIMITS, Running, until_closed};

/// Short enough to wait for.
const SOON: Duration = Duration::from_millis(200);

/// A server, and a client that trusts its certificate.
struct Secure {
    server: Running,
    connector: TlsConnector,
}

impl Secure {
    async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&certificate, TestCertificate::LOCAL.certificate).unwrap();
        std::fs::write(&key, TestCertificate::LOCAL.key).unwrap();
        let identity = ServerIdentity::read(&certificate, &key).unwrap();
        let server = Server::bind("127.0.0.1", 0).await.unwrap().with_limits(limits);
        let server = Running::run(server.with_identity(identity));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        Self { server, connector: TlsConnector::from(Arc::new(config)) }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        self.connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// A count of `app.http`.
    async fn count(&self, key: &str) -> u64 {
        let answer = self.get("/api/v1/metrics/app").await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let app: Value = serde_json::from_str(body).unwrap();
        app["app"]["http"][key].as_u64().unwrap()
    }

    async fn until_counted(&self, key: &str, expected: u64) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.count(key).await < expected {
            assert!(Instant::now() < deadline, "{key} stays below {expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(self.count(key).await, expected, "{key}");
    }
}

#[tokio::test]
async fn answers_arrive_over_tls() {
    let secure = Secure::with(LIMITS).await;
    for path in ["/healthz", "/metrics", "/api/v1/metrics/window/5", "/api/v1/metrics/bucket/0?top=1000"] {
        assert!(secure.get(path).await.starts_with("HTTP/1.1 200 OK\r\n"), "{path}");
    }
    assert!(secure.get("/nowhere").await.starts_with("HTTP/1.1 404 "));
    let mut stream = secure.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        let mut rest = [0; 4096];
        let _ = stream.read(&mut rest).await.unwrap();
    }
}

#[tokio::test]
async fn a_malformed_request_gets_its_sentence_over_tls() {
    let secure = Secure::with(LIMITS).await;
    let mut stream = secure.connect().await;
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("not valid HTTP/1.1"), "{answer}");
    assert_eq!(secure.count("malformed").await, 1);
}

#[tokio::test]
async fn a_client_without_tls_is_told_to_use_it() {
    let secure = Secure::with(LIMITS).await;
    let response = secure.server.get("/metrics").await;
    assert_eq!(response.status, 400);
    assert_eq!(response.error(), "this agent speaks HTTPS: use https:// instead of http://");
    secure.until_counted("tls_failed", 1).await;
}

#[tokio::test]
async fn a_handshake_that_fails_or_stalls_ends_and_is_counted() {
    let secure = Secure::with(Limits { header: SOON, ..LIMITS }).await;
    let mut garbage = TcpStream::connect(secure.server.address()).await.unwrap();
    garbage.write_all(&[22; 200]).await.unwrap();
    // An alert (RFC 8446 section 6), and the end.
    assert_eq!(until_closed(&mut garbage).await[0], 21);
    secure.until_counted("tls_failed", 1).await;
    // A probe that only connects is no failure.
    drop(TcpStream::connect(secure.server.address()).await.unwrap());
    let mut silent = TcpStream::connect(secure.server.address()).await.unwrap();
    let mut slow = TcpStream::connect(secure.server.address()).await.unwrap();
    slow.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    assert_eq!(until_closed(&mut silent).await, b"");
    assert_eq!(until_closed(&mut slow).await, b"");
    secure.until_counted("too_slow", 2).await;
    secure.until_counted("tls_failed", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_handshakes_exclude_no_client() {
    let secure = Secure::with(Limits { connections: 256, ..LIMITS }).await;
    for begun in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut crowd = Vec::new();
        for _ in 0..500 {
            let mut stream = TcpStream::connect(secure.server.address()).await.unwrap();
            stream.write_all(begun).await.unwrap();
            crowd.push(stream);
        }
        let began = Instant::now();
        assert!(secure.get("/metrics").await.starts_with("HTTP/1.1 200 "));
        assert!(began.elapsed() < 5 * SOON, "{:?}", began.elapsed());
    }
    assert!(secure.count("closed_for_others").await >= 2 * (500 - 256));
}

#[tokio::test]
async fn shutdown_waits_for_no_handshake() {
    let mut secure = Secure::with(LIMITS).await;
    let mut silent = TcpStream::connect(secure.server.address()).await.unwrap();
    assert!(secure.get("/healthz").await.starts_with("HTTP/1.1 200 "));
    secure.server.signal_stop();
    assert_eq!(until_closed(&mut silent).await, b"");
    secure.server.stopped().await;
}
