//! A collector behind TLS.

use std::net::{SocketAddr, TcpListener};

use tempfile::TempDir;
use testbed::TestCertificate;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::files::read;
use crate::rotel::{self, Ports, Rotel};

/// Decrypts what it gets for the collector. It ends when dropped.
struct TlsFront {
    port: u16,
    files: TempDir,
    _runtime: Runtime,
}

impl TlsFront {
    fn start(application_protocol: &str, collector_port: u16) -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("ca.pem"), TestCertificate::LOCAL.certificate).unwrap();
        std::fs::write(files.path().join("headers"), "x-scope: dns\n").unwrap();
        let acceptor = TlsAcceptor::from(TestCertificate::LOCAL.server_config(&[application_protocol]));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let collector = SocketAddr::from(([127, 0, 0, 1], collector_port));
                let mut collector = TcpStream::connect(collector).await.unwrap();
                // Either side may end a connection as it likes.
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut collector).await;
            }
        });
        Self { port, files, _runtime: runtime }
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }
}

fn check(protocol: &str, application_protocol: &str, port: fn(Ports) -> u16) {
    let Some(program) = rotel::program() else { return };
    let ports = Ports::free();
    let collector = Rotel::start(&program, ports);
    let front = TlsFront::start(application_protocol, port(ports));
    let url = format!("https://localhost:{}", front.port);
    let (authority, headers) = (front.file("ca.pem"), front.file("headers"));
    let words = ["--otlp-endpoint", &url, "--otlp-protocol", protocol];
    let secure = ["--otlp-ca", authority.as_str(), "--otlp-headers", headers.as_str()];
    let output = read(&[&words[..], &secure].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Without the authority nothing is sent, and the summary is printed nevertheless.
    let output = read(&words);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"{"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let reason = "has no secure connection: no authority that is trusted here issued its certificate";
    assert!(stderr.contains(reason), "{stderr}");

    let received = collector.stop();
    assert_eq!(received.len(), 1, "requests of the first run only");
    assert!(received[0].total("pktvisor.packets.counted") > 0.0);
}

#[test]
fn grpc_goes_over_tls() {
    check("grpc", "h2", |ports| ports.grpc);
}

#[test]
fn http_goes_over_tls() {
    check("http", "http/1.1", |ports| ports.http);
}
