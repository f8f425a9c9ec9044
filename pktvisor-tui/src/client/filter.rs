//! What to look into: the filter of `/api/v1/focus` and `/api/v1/packets`.

use std::fmt::{self, Write};

/// A property of DNS traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilterKey {
    /// The client's address.
    Client,
    /// The server's address.
    Server,
    /// The address of either end.
    Network,
    /// Names at or below a zone.
    Zone,
    /// The question's name.
    Name,
    /// The question's type.
    Qtype,
    /// The response code.
    Rcode,
}

impl FilterKey {
    /// Its name, also in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Network => "network",
            Self::Zone => "zone",
            Self::Name => "name",
            Self::Qtype => "qtype",
            Self::Rcode => "rcode",
        }
    }
}

/// Properties that all must hold; one of each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficFilter(Vec<(FilterKey, String)>);

impl TrafficFilter {
    /// The filter with one more property, or another value for it.
    #[must_use]
    pub fn with(&self, key: FilterKey, value: &str) -> Self {
        let mut terms: Vec<(FilterKey, String)> =
            self.0.iter().filter(|(known, _)| *known != key).cloned().collect();
        terms.push((key, value.to_owned()));
        terms.sort();
        Self(terms)
    }

    /// The query string: `client=192.0.2.1&zone=example.com`.
    pub(super) fn query(&self) -> String {
        let mut query = String::new();
        for (key, value) in &self.0 {
            let separator = if query.is_empty() { "" } else { "&" };
            let _infallible = write!(query, "{separator}{}=", key.name());
            percent_encode(value, &mut query);
        }
        query
    }

    /// A name for a file: letters, digits, dots and dashes of the values, bounded.
    pub fn file_stem(&self) -> String {
        const CHARS_MAX: usize = 60;
        let values: Vec<&str> = self.0.iter().map(|(_, value)| value.as_str()).collect();
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        values.join("-").chars().map(plain).take(CHARS_MAX).collect()
    }
}

impl fmt::Display for TrafficFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " · " };
            write!(f, "{separator}{} {value}", key.name())?;
        }
        Ok(())
    }
}

/// All but unreserved characters as `%XX` (RFC 3986 section 2.1).
fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_place_in_the_query() {
        let filter = TrafficFilter::default()
            .with(FilterKey::Zone, "a&client=1 b#%.ü")
            .with(FilterKey::Client, "2001:db8::1");
        assert_eq!(filter.query(), "client=2001%3Adb8%3A%3A1&zone=a%26client%3D1%20b%23%25.%C3%BC");
        assert_eq!(filter.to_string(), "client 2001:db8::1 · zone a&client=1 b#%.ü");
    }

    #[test]
    fn a_property_has_one_value() {
        let filter =
            TrafficFilter::default().with(FilterKey::Zone, "example").with(FilterKey::Zone, "a.example");
        assert_eq!(filter.query(), "zone=a.example");
    }

    #[test]
    fn a_name_from_a_packet_cannot_choose_another_directory() {
        let filter = TrafficFilter::default().with(FilterKey::Name, "../../etc/passwd\0\u{1b}");
        assert_eq!(filter.file_stem(), "..-..-etc-passwd--");
    }
}
