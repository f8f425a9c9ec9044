//! `--auth-token-file`: every path but `/healthz` needs the token.

use pktvisor_agent::serve::{AccessToken, Server};

use crate::client::{PATHS, Response, Running, until_closed};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const TOKEN: &str = "correct-horse-battery";
/// `:correct-horse-battery` in base64.
const BASIC: &str = "OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==";
const ORIGIN: &str = "http://ns1.example:10853";

async fn guarded(origins: &[&str]) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, format!("{TOKEN}\nwhat follows is a comment\n")).unwrap();
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    let server = Server::bind("127.0.0.1", 0).await.unwrap().with_allowed_origins(&origins);
    Running::run(server.with_token(AccessToken::read(&path).unwrap()))
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn assert_refused(response: &Response, what: &str) {
    assert_eq!(response.status, 401, "{what}");
    assert!(response.error().starts_with("this agent needs its token"), "{what}: {response:?}");
    assert!(!format!("{response:?}").contains(TOKEN), "{what}");
}

#[tokio::test]
async fn without_the_token_only_the_health_is_answered() {
    let server = guarded(&[]).await;
    for path in PATHS {
        for headers in
            ["", &bearer("wrong-horse-battery-1"), &bearer("what follows is a comment"), &bearer("")]
        {
            let response = server.request("GET", path, headers).await;
            if path == "/healthz" {
                assert_eq!(response.status, 200);
            } else {
                assert_refused(&response, path);
            }
        }
    }
    // Neither the form of the path nor the method gets around it.
    for (method, path) in [
        ("GET", "//healthz"),
        ("GET", "/healthz/"),
        ("GET", "/healthz/../metrics"),
        ("GET", "/metrics?/healthz"),
        ("GET", "http://localhost/metrics"),
        ("GET", "/%68ealthz"),
        ("POST", "/metrics"),
        ("OPTIONS", "/metrics"),
    ] {
        assert_refused(&server.request(method, path, "content-length: 0\r\n").await, path);
    }
    assert_eq!(server.request("HEAD", "/metrics", "").await.status, 401);
    assert_eq!(server.request("HEAD", "/healthz", "").await.status, 200);
}

#[tokio::test]
async fn the_token_opens_every_path_for_programs_and_browsers() {
    let server = guarded(&[]).await;
    for path in PATHS {
        let expected = if path == "/nowhere" { 404 } else { 200 };
        for headers in [bearer(TOKEN), format!("authorization: Basic {BASIC}\r\n")] {
            let response = server.request("GET", path, &headers).await;
            assert_eq!(response.status, expected, "{path}");
            assert!(!String::from_utf8_lossy(&response.body).contains(TOKEN), "{path}");
        }
    }
}

#[tokio::test]
async fn a_refusal_names_both_schemes_and_is_counted() {
    let server = guarded(&[]).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = String::from_utf8(until_closed(&mut stream).await).unwrap();
    assert!(answer.contains("www-authenticate: Bearer realm=\"pktvisor\"\r\n"), "{answer}");
    assert!(answer.contains("www-authenticate: Basic realm=\"pktvisor\", charset=\"UTF-8\"\r\n"), "{answer}");
    let app = server.request("GET", "/api/v1/metrics/app", &bearer(TOKEN)).await.json();
    assert_eq!(app["app"]["http"]["unauthorized"], 1);
}

#[tokio::test]
async fn a_foreign_host_is_refused_before_its_token_is_looked_at() {
    let server = guarded(&[]).await;
    for headers in [String::new(), bearer(TOKEN)] {
        assert_eq!(server.request("GET", "http://rebound.example/metrics", &headers).await.status, 403);
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_send_the_token() {
    let server = guarded(&[ORIGIN]).await;
    let asked = format!(
        "origin: {ORIGIN}\r\naccess-control-request-method: GET\r\n\
         access-control-request-headers: authorization\r\n"
    );
    let preflight = server.request("OPTIONS", "/api/v1/metrics/app", &asked).await;
    assert_eq!((preflight.status, preflight.body.len()), (204, 0));
    assert_eq!(preflight.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, HEAD"));
    // The page can read why it is refused.
    let refused = server.request("GET", "/metrics", &format!("origin: {ORIGIN}\r\n")).await;
    assert_refused(&refused, "without token");
    assert_eq!(refused.header("access-control-allow-origin"), Some(ORIGIN));
    let headers = format!("origin: {ORIGIN}\r\n{}", bearer(TOKEN));
    let allowed = server.request("GET", "/metrics", &headers).await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, Some(ORIGIN)));
}

#[tokio::test]
async fn no_other_preflight_is_answered() {
    let server = guarded(&[ORIGIN]).await;
    for asked in [
        "origin: http://evil.example\r\naccess-control-request-method: GET\r\n".to_owned(),
        format!("origin: {ORIGIN}\r\naccess-control-request-method: PUT\r\n"),
        format!("origin: {ORIGIN}\r\n"),
        "access-control-request-method: GET\r\n".to_owned(),
    ] {
        let response = server.request("OPTIONS", "/metrics", &asked).await;
        assert_refused(&response, &asked);
        assert_eq!(response.header("access-control-allow-headers"), None, "{asked}");
    }
}
