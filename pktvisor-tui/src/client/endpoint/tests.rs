//! Forms of an endpoint that are accepted, and those that are refused.

use super::*;

#[test]
fn a_host_may_be_a_name_an_address_or_a_url() {
    for (text, url) in [
        ("ns1.example", "http://ns1.example:10853/x"),
        ("ns1:99", "http://ns1:99/x"),
        ("192.0.2.1", "http://192.0.2.1:10853/x"),
        ("192.0.2.1:99", "http://192.0.2.1:99/x"),
        ("::1", "http://[::1]:10853/x"),
        ("2001:db8::1", "http://[2001:db8::1]:10853/x"),
        ("[2001:DB8::1]:99", "http://[2001:db8::1]:99/x"),
        ("[::1]", "http://[::1]:10853/x"),
        ("http://ns1", "http://ns1:10853/x"),
        ("HTTP://ns1:99/", "http://ns1:99/x"),
        ("http://ns1/edge/7/", "http://ns1:10853/edge/7/x"),
        ("https://ns1", "https://ns1:10853/x"),
        ("HTTPS://[2001:db8::1]:99/edge", "https://[2001:db8::1]:99/edge/x"),
        (" ns1 ", "http://ns1:10853/x"),
    ] {
        assert_eq!(AgentEndpoint::parse(text, 10853).map(|e| e.url("/x")), Ok(url.to_owned()), "{text}");
    }
}

#[test]
fn a_link_local_address_is_reached_through_the_interface_that_it_names() {
    for (text, port, zone) in [
        ("fe80::1%eth0", 10853, "eth0"),
        ("fe80::1%25eth0", 10853, "eth0"),
        ("[fe80::1%eth0]", 10853, "eth0"),
        ("[fe80::1%eth0]:99", 99, "eth0"),
        ("[fe80::1%25eth0]:99", 99, "eth0"),
        ("[FE80::1%25eth0.100]:99", 99, "eth0.100"),
        ("fe80::1%eth0:99", 99, "eth0"),
        ("http://[fe80::1%25eth0]:99/", 99, "eth0"),
        ("http://[fe80::1%eth0]:99", 99, "eth0"),
        ("fe80::1%3", 10853, "3"),
        ("[fe80::1%3]:99", 99, "3"),
        ("fe80::1%25", 10853, "25"),
        ("fe80::1%253", 10853, "253"),
        ("http://[fe80::1%253]", 10853, "3"),
    ] {
        let endpoint = AgentEndpoint::parse(text, 10853).expect(text);
        assert_eq!(endpoint.url("/x"), format!("http://[fe80::1]:{port}/x"), "{text}");
        assert_eq!(endpoint.zone().map(Zone::as_str), Some(zone), "{text}");
    }
    let label = |text| AgentEndpoint::parse(text, 10853).expect(text).label();
    assert_eq!(label("http://[fe80::1%25eth0]:99/x"), "[fe80::1%eth0]:99/x");
    assert_eq!(label("fe80::1%eth0"), "[fe80::1%eth0]");
    let [one, other] = ["fe80::1%eth0", "fe80::1%eth1"].map(|text| AgentEndpoint::parse(text, 1));
    assert_ne!(one, other);
}

#[test]
fn a_zone_belongs_to_a_link_local_address_and_is_an_interface() {
    for text in
        ["fe80::1%", "[fe80::1%]:99", "fe80::1%a/b", "fe80::1%a b", "fe80::1%e%0", "fe80::1%sixteen-letters-"]
    {
        let error = AgentEndpoint::parse(text, 1).expect_err(text);
        assert!(matches!(error, EndpointError::Zone(_) | EndpointError::Host(_)), "{text}: {error}");
    }
    for text in ["2001:db8::1%eth0", "[::1%lo]:99"] {
        assert!(matches!(AgentEndpoint::parse(text, 1), Err(EndpointError::ZoneNotAllowed(_))), "{text}");
    }
    for text in ["fe80::1", "[fe80::1]:99", "http://[fe80::1]"] {
        assert!(matches!(AgentEndpoint::parse(text, 1), Err(EndpointError::ZoneMissing(_))), "{text}");
    }
    for text in ["ns1%eth0", "192.0.2.1%eth0", "%eth0"] {
        assert!(matches!(AgentEndpoint::parse(text, 1), Err(EndpointError::Host(_))), "{text}");
    }
}

#[test]
fn text_that_is_not_a_host_is_refused_with_the_reason() {
    for text in ["", "  ", "http://", "http:///x"] {
        assert_eq!(AgentEndpoint::parse(text, 1), Err(EndpointError::Empty), "{text}");
    }
    for text in ["ws://ns1", "ftp://ns1"] {
        assert!(matches!(AgentEndpoint::parse(text, 1), Err(EndpointError::Scheme(_))), "{text}");
    }
    for text in ["ns1:http", "ns1:", "ns1:0", "ns1:65536", "[::1]:x"] {
        assert!(matches!(AgentEndpoint::parse(text, 1), Err(EndpointError::Port(_))), "{text}");
    }
    for text in ["ns1/path", "a b", "user@ns1", "[::1", "ns\u{1b}[2J", ":53", "http://ns1/a b"] {
        assert!(matches!(AgentEndpoint::parse(text, 1), Err(EndpointError::Host(_))), "{text}");
    }
}
