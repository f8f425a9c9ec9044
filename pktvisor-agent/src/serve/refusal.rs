//! Requests that do not reach a handler: those without a path, and those that hyper cannot parse.

use hyper::Uri;
use hyper::http::uri::PathAndQuery;
use tokio::net::TcpStream;

use super::answer::Failure;

/// The path and query of a target, the only form that handlers know. A proxy's absolute form
/// (`http://host/metrics`, RFC 9112 section 3.2.2) has a path as well.
///
/// # Errors
///
/// The target has no path: it is an authority (`example.com:80`), `*`, or a word.
pub(super) fn with_path(target: &Uri) -> Result<Uri, Failure> {
    let path = target.path_and_query().map_or("", PathAndQuery::as_str);
    let is_absolute = target.scheme().is_some();
    let path = match path.as_bytes().first() {
        Some(b'/') => path.to_owned(),
        Some(b'?') if is_absolute => format!("/{path}"),
        None if is_absolute => "/".to_owned(),
        _ => return Err(Failure::NoPath),
    };
    path.parse().map_err(|_| Failure::NoPath)
}

/// Replaces hyper's own answer to a request that it cannot parse by one with the same status and a
/// sentence. `None` if `bytes` are not such an answer.
pub(super) fn in_place_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let status_line = std::str::from_utf8(bytes).ok()?.lines().next()?;
    let sentence = match status_line.strip_prefix("HTTP/1.1 ")?.get(..3)? {
        "400" => "the request is not valid HTTP/1.1, as in GET /metrics HTTP/1.1",
        "414" => "the path is too long",
        "431" => "the header is larger than 16 KiB",
        _ => return None,
    };
    let body = format!("{{\"error\":\"{sentence}\"}}");
    let head = format!(
        "{status_line}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    Some((head + &body).into_bytes())
}

/// The whole answer for a client for which there is no room.
pub(super) fn busy() -> String {
    whole("503 Service Unavailable", "retry-after: 1\r\n", &Failure::Busy.to_string())
}

/// The whole answer for a client that speaks HTTP where the server expects TLS.
pub(super) fn needs_tls() -> String {
    whole("400 Bad Request", "", "this agent speaks HTTPS: use https:// instead of http://")
}

fn whole(status: &str, headers: &str, sentence: &str) -> String {
    let body = format!("{{\"error\":\"{sentence}\"}}");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a whole answer, as far as possible without waiting, to a client whose request is not
/// processed.
pub(super) fn refuse(stream: &TcpStream, answer: &str) {
    // Unread bytes would make the kernel reset the connection, and the client would lose the
    // answer.
    let _ = stream.try_read(&mut [0; 4096]);
    let _ = stream.try_write(answer.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_with_a_path_is_that_path() {
        let targets = [
            ("/metrics", "/metrics"),
            ("/metrics?x=1", "/metrics?x=1"),
            ("http://host/metrics?x=1", "/metrics?x=1"),
            ("https://user@host:1/a/b", "/a/b"),
            ("http://host", "/"),
            ("http://host?x=1", "/?x=1"),
        ];
        for (target, path) in targets {
            let uri = with_path(&target.parse().unwrap()).unwrap();
            assert_eq!(uri.to_string(), path, "{target}");
        }
    }

    #[test]
    fn a_target_without_a_path_is_refused() {
        for target in ["*", "metrics", "example.com:80", "[::1]:80"] {
            assert_eq!(with_path(&target.parse().unwrap()), Err(Failure::NoPath), "{target}");
        }
    }

    #[test]
    fn only_a_refusal_is_replaced() {
        assert_eq!(in_place_of(b"HTTP/1.1 200 OK\r\n\r\n"), None);
        assert_eq!(in_place_of(b"\xff"), None);
        let refusal = in_place_of(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        assert!(refusal.starts_with(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"));
        assert!(refusal.ends_with(b"}"));
    }
}
