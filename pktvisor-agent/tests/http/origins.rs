//! Pages of other origins: none may read an answer unless `--allow-origin` names its origin.

use pktvisor_agent::serve::Server;

use crate::client::{PATHS, Response, Running};

const ORIGIN: &str = "http://ns1.example:10853";

async fn allowing(origins: &[&str]) -> Running {
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    let server = Server::bind("127.0.0.1", 0).await.unwrap();
    Running::run(server.with_allowed_origins(&origins))
}

fn permission(response: &Response) -> Option<&str> {
    response.header("access-control-allow-origin")
}

#[tokio::test]
async fn an_allowed_origin_is_named_in_every_answer() {
    let server = allowing(&[ORIGIN, "https://other.example"]).await;
    for path in PATHS {
        for origin in [ORIGIN, "https://other.example"] {
            let response = server.request("GET", path, &format!("origin: {origin}\r\n")).await;
            assert_eq!(permission(&response), Some(origin), "{path}");
            // The test client keeps the last of two headers.
            assert_eq!(response.header("vary"), Some("origin"), "{path}");
            assert_eq!(response.header("access-control-allow-credentials"), None);
        }
    }
}

#[tokio::test]
async fn no_other_origin_is_named_and_caches_keep_the_answers_apart() {
    let server = allowing(&[ORIGIN]).await;
    for headers in [
        "",
        "origin: null\r\n",
        "origin: *\r\n",
        "origin: http://ns1.example\r\n",
        "origin: https://ns1.example:10853\r\n",
        "origin: http://ns1.example:108530\r\n",
        "origin: http://a.ns1.example:10853\r\n",
        "origin: http://ns1.example:10853.evil.example\r\n",
        "origin: http://ns1.example:10853\r\norigin: http://evil.example\r\n",
    ] {
        let response = server.request("GET", "/healthz", headers).await;
        assert_eq!(response.status, 200);
        assert_eq!(permission(&response), None, "{headers:?}");
        assert_eq!(response.header("vary"), Some("origin"), "{headers:?}");
    }
}

#[tokio::test]
async fn an_allowed_origin_does_not_make_a_foreign_host_acceptable() {
    let server = allowing(&[ORIGIN]).await;
    let response =
        server.request("GET", "http://rebound.example/metrics", &format!("origin: {ORIGIN}\r\n")).await;
    assert_eq!((response.status, permission(&response)), (403, None));
}

#[tokio::test]
async fn only_reading_is_permitted() {
    let server = allowing(&[ORIGIN]).await;
    let headers = format!("origin: {ORIGIN}\r\naccess-control-request-method: PUT\r\n");
    let response = server.request("OPTIONS", "/metrics", &headers).await;
    assert_eq!((response.status, response.header("access-control-allow-methods")), (405, None));
}
