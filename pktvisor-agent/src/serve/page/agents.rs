//! The agents that a page shows side by side: `/?agents=host1:10853,host2:10853`.
//!
//! The page may connect only to these, so each becomes a source in its Content-Security-Policy. The
//! author of a link writes its query, so a word becomes a source only if it is a host and a port.

use std::collections::BTreeSet;

/// Most agents of a page. Each takes about 5 requests every two seconds.
const AGENTS_MAX: usize = 50;

/// Longest name in DNS, without its final dot (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;

/// The hosts with ports in the first parameter `agents` of a query. The script of the page finds the
/// same ones.
pub(super) fn in_query(pairs: &[(String, String)]) -> Vec<&str> {
    let words = pairs.iter().find(|(name, _)| name == "agents").map_or("", |(_, value)| value);
    let mut seen = BTreeSet::new();
    let words = words.split(',').map(str::trim);
    words.filter(|word| is_agent(word) && seen.insert(*word)).take(AGENTS_MAX).collect()
}

/// Whether a word is `name:port` or `IPv4:port`. There is no IPv6, because a source of a
/// Content-Security-Policy cannot be an IPv6 address (CSP Level 3 section 2.3.1, `host-part`).
fn is_agent(word: &str) -> bool {
    let Some((host, port)) = word.rsplit_once(':') else { return false };
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_valid);
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = is_port && port.parse::<u16>().is_ok_and(|port| port > 0);
    host.len() <= NAME_BYTES_MAX && host.split('.').all(is_label) && is_port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(agents: &str) -> Vec<(String, String)> {
        vec![("x".to_owned(), "y:1".to_owned()), ("agents".to_owned(), agents.to_owned())]
    }

    #[test]
    fn an_agent_is_a_name_or_an_ipv4_address_with_a_port() {
        for word in ["a:1", "ns1.example.com:10853", "192.0.2.1:65535", "my_host-2:080"] {
            assert_eq!(in_query(&query(word)), [word]);
        }
        let long = format!("{}:1", "a".repeat(254));
        for word in [
            "",
            "a",
            "a:",
            ":1",
            "a:0",
            "a:65536",
            "a:+1",
            "a:1;",
            "a b:1",
            "a:1 b:2",
            "*:1",
            "*.a:1",
            "a..b:1",
            ".a:1",
            "a.:1",
            "[::1]:1",
            "::1:1",
            "http://a:1",
            "a/b:1",
            "a@b:1",
            "'self':1",
            "bücher:1",
            "a:1\r\nx: y",
            &long,
        ] {
            assert_eq!(in_query(&query(word)), [""; 0], "{word}");
        }
    }

    #[test]
    fn valid_words_count_once_and_invalid_ones_not_at_all() {
        assert_eq!(in_query(&query("a:1, b:2,a:1,;,b:2")), ["a:1", "b:2"]);
        let many: Vec<String> = (1..=60).map(|port| format!("a:{port}")).collect();
        assert_eq!(in_query(&query(&many.join(","))), many[..AGENTS_MAX]);
        assert!(in_query(&[]).is_empty());
    }
}
