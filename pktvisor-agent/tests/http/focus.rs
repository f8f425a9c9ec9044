//! `/api/v1/focus`.

use crate::client::Running;

#[tokio::test]
async fn a_focus_is_of_what_its_parameters_say() {
    let server = Running::start().await;
    for (query, filter) in [
        ("client=192.0.2.7", "client=192.0.2.7"),
        ("server=192.0.2.7/24&network=2001%3Adb8::%2F32", "server=192.0.2.0/24 network=2001:db8::/32"),
        ("zone=.Example.com&top=20", "zone=example.com"),
        ("name=%5C.a.b.&&qtype=aaaa", "name=\\.a.b qtype=AAAA"),
        ("rcode=servfail", "rcode=SRVFAIL"),
        ("rcode=3&qtype=TYPE65280", "rcode=NXDOMAIN qtype=TYPE65280"),
    ] {
        let answer = server.get(&format!("/api/v1/focus?{query}")).await;
        assert_eq!(answer.json()["focus"]["packets"]["total"], 1000, "{query}");
        assert_eq!(*server.source.focused.lock().unwrap(), filter, "{query}");
    }
    let long = server.get("/api/v1/focus?zone=a&top=300").await.json();
    assert_eq!(long["focus"]["dns"]["top_qname2"].as_array().unwrap().len(), 300);
}

#[tokio::test]
async fn a_bad_parameter_gets_one_sentence_and_opens_nothing() {
    let server = Running::start().await;
    let long = format!("zone={}", "a".repeat(2000));
    for (query, word) in [
        ("", "at least one of client"),
        ("top=5", "at least one of client"),
        ("zoen=example.com", "unknown parameter \"zoen\""),
        ("client=example.com", "client must be an address"),
        ("client=192.0.2.0/33", "client must be an address"),
        ("zone=a..b", "zone must be a domain name"),
        ("zone=", "zone must be a domain name"),
        ("name=a%20b", "name must be a domain name"),
        ("rcode=OOPS", "rcode must be"),
        ("qtype=65536", "qtype must be"),
        ("zone=a&top=0", "top must be"),
        ("zone=a&zone=b", "twice"),
        ("zone=%ff", "UTF-8"),
        ("zone=%e2%80%ae", "zone must be"),
        (&long, "longer than"),
    ] {
        let answer = server.get(&format!("/api/v1/focus?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.error().contains(word), "{query}: {}", answer.error());
        assert!(answer.body.len() < 300, "{query}");
    }
    assert_eq!(*server.source.focused.lock().unwrap(), "");
}

#[tokio::test]
async fn one_focus_too_many_gets_one_clear_sentence() {
    let server = Running::start().await;
    let answer = server.get("/api/v1/focus?rcode=4000").await;
    let sentence = "8 focuses are open; one closes a minute after it was last asked for";
    assert_eq!((answer.status, answer.error().as_str()), (429, sentence));
}
