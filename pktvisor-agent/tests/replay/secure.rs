//! The binary with a certificate and a token.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use testbed::TestCertificate;

use crate::captures::demo;
use crate::shell::Shell;
use crate::support::Served;

const TOKEN: &str = "correct-horse-battery";

/// A folder with a capture, a certificate, its key and a token, none of them for everybody.
struct Files {
    shell: Shell,
}

impl Files {
    fn new() -> Self {
        let files = Self { shell: Shell::with("t.pcap", &demo()) };
        files.write("cert.pem", TestCertificate::LOCAL.certificate.as_bytes());
        files.write("key.pem", TestCertificate::LOCAL.key.as_bytes());
        files.write("token", format!("{TOKEN}\n").as_bytes());
        files
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
        self.set_mode(name, 0o600);
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.shell.path().join(name).to_str().unwrap().to_owned()
    }

    fn served(&self, environment: &[(&str, &str)]) -> Served {
        let [cert, key, token, capture] =
            ["cert.pem", "key.pem", "token", "t.pcap"].map(|name| self.path(name));
        let words = ["--tls-cert", &cert, "--tls-key", &key, "--auth-token-file", &token, &capture];
        let mut served = Served::start_with(&words, environment);
        served.line();
        served
    }

    /// The answer to a GET over TLS.
    fn get(&self, served: &Served, path: &str, headers: &str) -> String {
        let mut roots = RootCertStore::empty();
        let certificate = TestCertificate::LOCAL.certificate.as_bytes();
        roots.add(CertificateDer::from_pem_slice(certificate).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(served.address()).unwrap());
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn answers_need_tls_and_the_token() {
    let files = Files::new();
    let served = files.served(&[("RUST_LOG", "trace")]);
    // All are read at start.
    for name in ["cert.pem", "key.pem", "token"] {
        fs::remove_file(files.path(name)).unwrap();
    }
    let shown = format!("authorization: Bearer {TOKEN}\r\n");
    for path in ["/metrics", "/api/v1/metrics/app", "/api/v1/metrics/window/5", "/", "/page.js"] {
        let answer = files.get(&served, path, &shown);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(!answer.contains(TOKEN), "{path}");
        for headers in ["", "authorization: Bearer wrong-horse-battery\r\n"] {
            let answer = files.get(&served, path, headers);
            assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{path}: {answer}");
        }
    }
    assert!(files.get(&served, "/healthz", "").starts_with("HTTP/1.1 200 OK\r\n"));
    let (status, body) = served.get("/metrics");
    assert!(status == 400 && body.contains("this agent speaks HTTPS"), "{body}");
    let app = files.get(&served, "/api/v1/metrics/app", &shown);
    assert!(app.contains("\"unauthorized\":10,\"tls_failed\":1"), "{app}");
    let (status, _, stderr) = served.stop("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(!stderr.contains(TOKEN) && !stderr.contains("wrong-horse"), "{stderr}");
}

/// The lines on stderr of an agent with these files that began to serve and ended.
fn warnings(files: &Files) -> Vec<String> {
    let [cert, key, token, capture] = ["cert.pem", "key.pem", "token", "t.pcap"].map(|name| files.path(name));
    let options = ["--tls-cert", &cert, "--tls-key", &key, "--auth-token-file", &token];
    // The port of a server that exists, so that the agent ends after it has read its files.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let words = [&options[..], &["--serve", "-l", "127.0.0.1", "-p", &port, &capture]].concat();
    let run = files.shell.run(&words);
    assert_eq!(run.code, Some(1), "{run:?}");
    run.stderr.lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect()
}

#[test]
fn a_secret_that_every_user_can_read_is_named() {
    let files = Files::new();
    assert_eq!(warnings(&files), [""; 0]);
    files.set_mode("cert.pem", 0o644);
    assert_eq!(warnings(&files), [""; 0]);
    files.set_mode("key.pem", 0o644);
    files.set_mode("token", 0o604);
    let warnings = warnings(&files);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("every user of this machine can read --tls-key "), "{warnings:?}");
    assert!(warnings[1].contains("every user of this machine can read --auth-token-file "), "{warnings:?}");
}

#[test]
fn a_file_that_cannot_be_used_ends_the_agent_with_one_sentence() {
    let files = Files::new();
    files.write("other-key.pem", TestCertificate::STRANGER.key.as_bytes());
    files.write("empty", b"");
    files.write("damaged", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    files.write("not-x509", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    files.write("encrypted", encrypted);
    files.write("short", b"secret\n");
    let cases = [
        (["missing", "key.pem", "token"], "cannot read --tls-cert missing: No such file or directory"),
        (["cert.pem", "missing", "token"], "cannot read --tls-key missing: No such file or directory"),
        (["cert.pem", "key.pem", "missing"], "cannot read --auth-token-file missing: No such file"),
        ([".", "key.pem", "token"], "cannot read --tls-cert .: Is a directory"),
        (["empty", "key.pem", "token"], "--tls-cert empty: it has no certificate; one begins with"),
        (["key.pem", "key.pem", "token"], "--tls-cert key.pem: it has no certificate"),
        (["damaged", "key.pem", "token"], "--tls-cert damaged: a PEM block in it is damaged"),
        (["not-x509", "key.pem", "token"], "--tls-cert not-x509: the first certificate is not valid"),
        (["cert.pem", "empty", "token"], "--tls-key empty: it has no private key; one begins with"),
        (["cert.pem", "cert.pem", "token"], "--tls-key cert.pem: it has no private key"),
        (["cert.pem", "encrypted", "token"], "--tls-key encrypted: the key is encrypted; `openssl pkey"),
        (["cert.pem", "other-key.pem", "token"], "--tls-key other-key.pem: it is not the key of the first"),
        (["cert.pem", "key.pem", "empty"], "--auth-token-file empty: the first line is empty"),
        (["cert.pem", "key.pem", "short"], "--auth-token-file short: the token has fewer than 16"),
    ];
    for ([cert, key, token], expected) in cases {
        let options = ["--tls-cert", cert, "--tls-key", key, "--auth-token-file", token];
        let run = files.shell.run(&[&options[..], &["--serve", "-p", "0", "t.pcap"]].concat());
        assert!(run.sentence().starts_with(expected), "{cert} {key} {token}: {run:?}");
        assert!(!run.sentence().contains("secret"), "{run:?}");
    }
    for option in ["--tls-cert", "--tls-key"] {
        assert_eq!(files.shell.run(&[option, "cert.pem", "--serve", "t.pcap"]).code, Some(2), "{option}");
    }
}
