//! What the operator reads when the collector does not take a request.

mod secure;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::endpoint::CollectorEndpoint;

/// A server that reads a little and answers each connection with these bytes.
async fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 65_536];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    port
}

async fn outcome(protocol: Protocol, url: &str) -> Result<Accepted, PushError> {
    let endpoint = CollectorEndpoint::parse(url, protocol).unwrap();
    let collector = OtlpCollector::read(endpoint, None, None).unwrap();
    CollectorConnection::open(&collector).await?.send(Bytes::from_static(b"")).await
}

async fn failure(protocol: Protocol, port: u16) -> PushError {
    outcome(protocol, &format!("http://127.0.0.1:{port}")).await.unwrap_err()
}

fn passes(error: &PushError) -> bool {
    error.remedy != Remedy::GiveUp
}

#[tokio::test]
async fn a_closed_port_is_reported_and_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    for protocol in [Protocol::Grpc, Protocol::Http] {
        let error = failure(protocol, port).await;
        assert_eq!(error.reason, format!("is not running: nothing listens on 127.0.0.1:{port}"));
        assert!(passes(&error));
    }
}

#[tokio::test]
async fn an_unknown_host_is_reported_and_tried_again() {
    let error = outcome(Protocol::Grpc, "http://collector.invalid").await.unwrap_err();
    assert!(error.reason.starts_with("has an unknown host: "), "{error:?}");
    assert!(passes(&error));
}

#[tokio::test]
async fn another_protocol_is_named() {
    let tls_alert: &[u8] = b"\x15\x03\x03\x00\x02\x02\x46";
    let http1: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    for answer in [tls_alert, http1] {
        let error = failure(Protocol::Grpc, answering(answer).await).await;
        assert!(error.reason.contains("without a gRPC answer"), "{error:?}");
    }
    let http2: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\xff\xff";
    for answer in [tls_alert, http2] {
        let error = failure(Protocol::Http, answering(answer).await).await;
        assert!(error.reason.contains("without an HTTP answer"), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_tried_again() {
    for protocol in [Protocol::Grpc, Protocol::Http] {
        let error = failure(protocol, answering(b"").await).await;
        assert!(passes(&error), "{error:?}");
    }
}

#[tokio::test]
async fn http_answers_decide_whether_to_try_again() {
    for (answer, reason, remedy) in [
        (
            &b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nfull"[..],
            "answers 503 Service Unavailable: full",
            Remedy::TryAgain { after: Some(Duration::from_secs(7)) },
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 6\r\n\r\n\x12\x04oops",
            "answers 400 Bad Request: oops",
            Remedy::GiveUp,
        ),
        (
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "has no metrics service at this path: it answers 404 Not Found",
            Remedy::GiveUp,
        ),
    ] {
        let error = failure(Protocol::Http, answering(answer).await).await;
        assert_eq!((error.reason.as_str(), error.remedy), (reason, remedy));
    }
}

#[tokio::test]
async fn rejected_points_are_read_from_an_answer_and_garbage_counts_as_accepted() {
    let url = |port| format!("http://127.0.0.1:{port}");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n\x0a\x06\x08\x05\x12\x02no";
    let accepted = outcome(Protocol::Http, &url(answering(answer).await)).await.unwrap();
    assert_eq!(accepted, Accepted { rejected_points: 5, message: "no".to_owned() });
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\xff\xff\xff";
    let accepted = outcome(Protocol::Http, &url(answering(answer).await)).await.unwrap();
    assert_eq!(accepted, Accepted::default());
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_never_answers_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = failure(Protocol::Http, port).await;
    assert_eq!(error.reason, "does not answer within 10 s");
    assert!(passes(&error));
}

#[test]
fn a_text_of_the_collector_is_shortened() {
    assert_eq!(shortened("a\n b\t c"), "a b c");
    assert_eq!(shortened(&"é".repeat(300)).chars().count(), 201);
}
