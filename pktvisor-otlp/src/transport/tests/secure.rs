//! Collectors that speak TLS, and headers.

use std::path::PathBuf;

use tempfile::TempDir;
use testbed::TestCertificate;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::*;

const ACCEPTED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A collector with this certificate that takes one request over HTTP.
struct SecureCollector {
    port: u16,
    /// The head of the request.
    request: oneshot::Receiver<String>,
    /// Its certificate, and the headers that it asks for.
    files: TempDir,
}

impl SecureCollector {
    async fn start(certificate: TestCertificate) -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("ca.pem"), certificate.certificate).unwrap();
        std::fs::write(files.path().join("headers"), "authorization: Bearer abc\nx-scope: dns\n").unwrap();
        let acceptor = TlsAcceptor::from(certificate.server_config(&["http/1.1"]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (head, request) = oneshot::channel();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut bytes = vec![0; 65_536];
            let read = stream.read(&mut bytes).await.unwrap();
            stream.write_all(ACCEPTED).await.unwrap();
            let _ = head.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
        });
        Self { port, request, files }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Sends a request to it, with the authority in this file.
    async fn send(&self, host: &str, authorities: Option<&str>) -> Result<Accepted, PushError> {
        let endpoint = format!("https://{host}:{}", self.port);
        let endpoint = CollectorEndpoint::parse(&endpoint, Protocol::Http).unwrap();
        let authorities = authorities.map(|name| self.file(name));
        let collector =
            OtlpCollector::read(endpoint, authorities.as_deref(), Some(&self.file("headers"))).unwrap();
        assert!(!collector.shows_headers());
        CollectorConnection::open(&collector).await?.send(Bytes::from_static(b"")).await
    }
}

#[tokio::test]
async fn a_request_and_its_headers_arrive_over_tls() {
    let collector = SecureCollector::start(TestCertificate::LOCAL).await;
    collector.send("localhost", Some("ca.pem")).await.unwrap();
    let head = collector.request.await.unwrap();
    assert!(head.starts_with("POST /v1/metrics HTTP/1.1\r\n"), "{head}");
    for header in ["authorization: Bearer abc", "x-scope: dns", "content-type: application/x-protobuf"] {
        assert!(head.contains(&format!("\r\n{header}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn a_collector_that_is_not_trusted_gets_nothing_and_is_tried_again() {
    for (certificate, authorities, reason) in [
        (TestCertificate::LOCAL, None, "give that of the authority with --otlp-ca"),
        (TestCertificate::EXPIRED, Some("ca.pem"), "its certificate has expired"),
        (TestCertificate::ELSEWHERE, Some("ca.pem"), "for another name than that after --otlp-endpoint"),
    ] {
        let collector = SecureCollector::start(certificate).await;
        let error = collector.send("localhost", authorities).await.unwrap_err();
        assert!(error.reason.starts_with("has no secure connection: "), "{error:?}");
        assert!(error.reason.contains(reason), "{error:?}");
        assert!(passes(&error));
        assert!(collector.request.await.is_err(), "it got a request");
    }
}

#[tokio::test]
async fn a_collector_without_tls_is_named() {
    let port = answering(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    for protocol in [Protocol::Grpc, Protocol::Http] {
        let endpoint = CollectorEndpoint::parse(&format!("https://127.0.0.1:{port}"), protocol).unwrap();
        let collector = OtlpCollector::read(endpoint, None, None).unwrap();
        let error = CollectorConnection::open(&collector).await.err().unwrap();
        let reason = "has no secure connection: it does not speak TLS; try http:// instead of https://";
        assert_eq!(error.reason, reason);
    }
}
