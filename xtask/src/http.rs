//! One GET request of HTTP to a server on this machine.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Only a server that hangs takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer with status 200.
pub(crate) struct HttpAnswer {
    /// The header Content-Type.
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// Asks for a path, with a preference for its format if there is one.
///
/// # Errors
///
/// Nobody listens, or the answer has another status than 200.
pub(crate) fn get(server: SocketAddr, path: &str, accept: Option<&str>) -> Result<HttpAnswer> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE).context("cannot connect")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let accept = accept.map(|accept| format!("accept: {accept}\r\n")).unwrap_or_default();
    // In one write: a server that has read the first of several may answer and close, which resets the connection.
    let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n{accept}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).context("cannot send a request")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("cannot read the answer")?;
    parse(&answer)
        .with_context(|| format!("{server}{path} answered {:.200}", String::from_utf8_lossy(&answer)))
}

fn parse(answer: &[u8]) -> Result<HttpAnswer> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no end of the headers")?;
    let head = std::str::from_utf8(&answer[..end]).context("headers that are not text")?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    ensure!(status == "200", "status {status}");
    let content_type = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    Ok(HttpAnswer { content_type: content_type.unwrap_or_default(), body: answer[end + 4..].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_has_a_type_and_a_body() {
        let answer =
            parse(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\na 1\n").expect("200");
        assert_eq!(
            (answer.content_type.as_str(), &*answer.body),
            ("text/plain; version=0.0.4", &b"a 1\n"[..])
        );
        assert!(parse(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_err());
    }
}
