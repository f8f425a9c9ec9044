//! The web page as it is sent; `tests/page` looks at it in a browser.

use crate::client::{Response, Running};

const PARTS: [(&str, &str); 3] = [
    ("/", "text/html; charset=utf-8"),
    ("/page.css", "text/css; charset=utf-8"),
    ("/page.js", "text/javascript; charset=utf-8"),
];

fn policy(response: &Response) -> String {
    response.header("content-security-policy").unwrap().to_owned()
}

#[tokio::test]
async fn a_page_that_loads_nothing_from_elsewhere_is_served() {
    let server = Running::start().await;
    let mut size = 0;
    for (path, content_type) in PARTS {
        let response = server.get(path).await;
        assert_eq!((response.status, response.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(response.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        size += response.body.len();
    }
    assert!(size < 70_000, "the page has {size} bytes");
    let policy = policy(&server.get("/").await);
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.split("; ").any(|part| part == directive), "{directive}: {policy}");
    }
}

#[tokio::test]
async fn a_part_is_compressed_and_sent_once() {
    let server = Running::start().await;
    for (path, _) in PARTS {
        let plain = server.get(path).await;
        let zipped = server.request("GET", path, "accept-encoding: gzip\r\n").await;
        assert_eq!(zipped.unzipped(), plain.body, "{path}");
        let etag = plain.header("etag").unwrap();
        assert_eq!(zipped.header("etag"), Some(etag));
        assert_eq!(plain.header("cache-control"), Some("no-cache"));
        for known in [etag, &format!("\"x\", {etag}"), "*"] {
            let again = server.request("GET", path, &format!("if-none-match: {known}\r\n")).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
            assert_eq!(again.header("etag"), Some(etag));
        }
        let other = server.request("GET", path, "if-none-match: W/\"0\"\r\n").await;
        assert_eq!(other.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_page_may_connect_to_the_agents_in_its_query_and_no_other() {
    let server = Running::start().await;
    for (query, sources) in [
        ("", ""),
        ("?x=1", ""),
        ("?agents=", ""),
        (
            "?agents=ns1:1,192.0.2.1:10853",
            " http://ns1:1 https://ns1:1 http://192.0.2.1:10853 https://192.0.2.1:10853",
        ),
        ("?x=1&agents=ns1%3A1%2Cns2%3a2", " http://ns1:1 https://ns1:1 http://ns2:2 https://ns2:2"),
        ("?agents=a:1&agents=b:1", " http://a:1 https://a:1"),
        ("?agents=*,*:1,a:1;,a:1%20b:1,'unsafe-inline',https:,a%0d%0ax:1,%ff:1,%zz:1", ""),
        ("?agents=a:1;script-src%20*", ""),
        ("?%ff=%ff&agents=a:1", " http://a:1 https://a:1"),
    ] {
        let response = server.get(&format!("/{query}")).await;
        assert_eq!(response.status, 200, "{query}");
        let expected = format!("; connect-src 'self'{sources}; ");
        assert!(policy(&response).contains(&expected), "{query}: {}", policy(&response));
        assert_eq!(policy(&response).matches("-src").count(), 5, "{query}");
    }
}
