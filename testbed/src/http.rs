//! Requests to a web server inside a namespace.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Namespace, tool};

/// Only a server that hangs takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Status and body of a GET from inside the namespace.
///
/// # Errors
/// No server listens, or the answer is not HTTP.
pub fn get(namespace: &Namespace, server: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = namespace.run(|| TcpStream::connect_timeout(&server, PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // In one write: a server that has read the first of several may answer and close, which resets
    // the connection.
    let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    });
    parsed.ok_or_else(|| io::Error::other(format!("{server}{path} answered {answer:?}")))
}

/// The JSON answer to a GET of a path.
///
/// # Panics
/// The answer is not JSON, or has a status other than 200.
pub fn json(namespace: &Namespace, server: SocketAddr, path: &str) -> Value {
    let (status, body) = tool::must(get(namespace, server, path));
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path} is no JSON ({error}): {body}"))
}

/// Repeats a GET until the answer has status 200, such as for `/healthz` while a server starts.
///
/// # Panics
/// No answer within `at_most` had it.
pub fn wait_until_ok(namespace: &Namespace, server: SocketAddr, path: &str, at_most: Duration) {
    let deadline = Instant::now() + at_most;
    loop {
        let answer = get(namespace, server, path);
        if matches!(answer, Ok((200, _))) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "http://{server}{path} does not answer with 200 after {at_most:?}: {answer:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
