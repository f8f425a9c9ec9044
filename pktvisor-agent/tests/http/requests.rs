//! Unusual requests: from clients that close their half, and with request lines of every kind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{PATHS, Running, until_closed};

/// Panics of any thread since the first call, except those that tests cause on purpose.
fn panics() -> usize {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|location| location.file().contains("warp")) {
                COUNT.fetch_add(1, Ordering::SeqCst);
            }
            before(panic);
        }));
    });
    COUNT.load(Ordering::SeqCst)
}

/// Sends these bytes, closes this half, and returns everything that comes back.
async fn sent_and_closed(server: &Running, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    until_closed(&mut stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_half_is_answered() {
    let server = Arc::new(Running::start().await);
    for path in PATHS {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        for n in 0..50 {
            let answer = sent_and_closed(&server, request.as_bytes()).await;
            assert!(answer.starts_with(b"HTTP/1.1 "), "{path}, time {n}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_requests_is_answered_when_the_client_closes_its_half() {
    let server = Running::start().await;
    let requests: String =
        PATHS.iter().map(|path| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).collect();
    for _ in 0..50 {
        let answers = sent_and_closed(&server, requests.as_bytes()).await;
        let count = answers.windows(9).filter(|window| window == b"HTTP/1.1 ").count();
        assert_eq!(count, PATHS.len(), "{}", String::from_utf8_lossy(&answers));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_half_early_gives_up_its_place() {
    let server = Running::start().await;
    for bytes in [
        &b""[..],
        b"GET",
        b"GET /metrics HTTP/1.1\r\n",
        b"POST /metrics HTTP/1.1\r\ncontent-length: 9\r\n\r\n",
    ] {
        // The test fails if this does not end.
        sent_and_closed(&server, bytes).await;
    }
}

#[tokio::test]
async fn a_target_without_a_path_is_a_bad_request() {
    let server = Running::start().await;
    let before = panics();
    let targets = [
        ("GET", "metrics"),
        ("GET", "example.com:80"),
        ("GET", "[::1]:80"),
        ("GET", "*"),
        ("HEAD", "metrics"),
        ("OPTIONS", "*"),
        ("CONNECT", "example.com:80"),
        ("CONNECT", "/metrics/x y"),
        ("GET", "api/v1/metrics/app"),
        ("GET", "?x"),
        ("GET", "mailto:somebody"),
        ("POST", "metrics"),
    ];
    for (method, target) in targets {
        let response = server.request(method, target, "").await;
        assert_eq!(response.status, 400, "{method} {target}");
        if method != "HEAD" {
            assert!(!response.error().is_empty(), "{method} {target}");
        }
    }
    assert_eq!(panics(), before);
}

#[tokio::test]
async fn a_target_in_absolute_form_is_its_path() {
    let server = Running::start().await;
    assert_eq!(server.get("http://localhost/metrics").await.status, 200);
    assert_eq!(
        server.get("http://localhost:10853/api/v1/metrics/bucket/0?x=1").await.json()["1m"]["packets"]["total"],
        1000
    );
    assert_eq!(server.get("https://user@[::1]/healthz").await.status, 200);
    assert_eq!(server.get("http://localhost").await.status, 200);
    assert_eq!(server.get("http://localhost?x").await.status, 200);
    assert_eq!(server.get("http://localhost/nowhere").await.status, 404);
    assert_eq!(server.request("POST", "http://localhost/metrics", "content-length: 0\r\n").await.status, 405);
}

/// A small generator with a fixed seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a [u8]]) -> &'a [u8] {
        of[self.below(of.len())]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_line_panics_and_each_is_answered_or_closed() {
    let methods: [&[u8]; 11] =
        [b"GET", b"HEAD", b"OPTIONS", b"CONNECT", b"POST", b"TRACE", b"PRI", b"get", b"", b"G\0T", b"\xff"];
    let pieces: [&[u8]; 28] = [
        b"/",
        b"metrics",
        b"*",
        b"example.com:80",
        b"http://",
        b"http:",
        b"://",
        b"?",
        b"#",
        b"%",
        b"%00",
        b"%zz",
        b"%2f",
        b"..",
        b"//",
        b"\\",
        b"api/v1/metrics/bucket/",
        b"0",
        b"\xc3\xa9",
        b"\0",
        b"@",
        b":",
        b"[::1]",
        b"[",
        b";a=b",
        b"\t",
        b"{}",
        b"healthz",
    ];
    let ends: [&[u8]; 8] =
        [b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2.0", b" HTTP/9.9", b"", b" ", b" http/1.1", b" HTTP/1.1 x"];
    let server = Running::start().await;
    let before = panics();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for n in 0..3000 {
        let mut request = random.pick(&methods).to_vec();
        request.push(b' ');
        for _ in 0..random.below(5) {
            request.extend_from_slice(random.pick(&pieces));
        }
        request.extend_from_slice(random.pick(&ends));
        request.extend_from_slice(b"\r\nhost: localhost\r\n\r\n");
        let answer = sent_and_closed(&server, &request).await;
        let what = String::from_utf8_lossy(&request).into_owned();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{what:?}: {answer:?}");
        assert_eq!(panics(), before, "{what:?}");
        if n % 100 == 0 {
            assert_eq!(server.get("/healthz").await.status, 200);
        }
    }
    let long = server.get(&format!("/{}", "x".repeat(70_000))).await;
    assert!([414, 431].contains(&long.status), "{}", long.status);
    assert_eq!(server.get("/healthz").await.status, 200);
}
