//! Domain names from text, in the wire form that messages are compared with.

/// The longest name in wire form, RFC 1035 section 2.3.4.
const NAME_BYTES_MAX: usize = 255;
/// The longest label, RFC 1035 section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// A domain name in lower-cased wire form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WireName(Box<[u8]>);

impl WireName {
    /// Reads a name as lists present it, and as zone files do (RFC 1035 section 5.1): labels joined
    /// by dots, `\.` and `\DDD` for odd octets, with or without the final dot. `None` if it is no
    /// name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let mut wire = Vec::with_capacity(text.len() + 2);
        let mut rest = if text == b"." { &[][..] } else { text };
        if text.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let start = wire.len();
            wire.push(0);
            rest = read_label(rest, &mut wire)?;
            let len = wire.len() - start - 1;
            if len == 0 || len > LABEL_BYTES_MAX {
                return None;
            }
            wire[start] = u8::try_from(len).ok()?;
        }
        wire.push(0);
        (wire.len() <= NAME_BYTES_MAX).then(|| Self(wire.into_boxed_slice()))
    }

    /// Reads the name of a zone. Lists write a dot before names that stand for all names below
    /// them; it means nothing here.
    pub fn parse_zone(text: &str) -> Option<Self> {
        Self::parse(text.strip_prefix('.').filter(|rest| !rest.is_empty()).unwrap_or(text))
    }

    /// Its wire form.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Whether the name with this wire form is this name, or below it.
    pub(super) fn contains(&self, wire: &[u8]) -> bool {
        let Some(above) = wire.len().checked_sub(self.0.len()) else { return false };
        // The octets of a label may look like the end of a name.
        wire.ends_with(&self.0) && is_label_start(wire, above)
    }
}

/// Whether a label of the name begins at this offset.
fn is_label_start(wire: &[u8], offset: usize) -> bool {
    let mut start = 0;
    while start < offset {
        match wire.get(start) {
            Some(&len) if len > 0 => start += usize::from(len) + 1,
            _ => return false,
        }
    }
    start == offset
}

/// Appends the octets of the first label, and returns the text behind it and its dot.
fn read_label<'a>(mut text: &'a [u8], wire: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match *text {
            [] => return Some(text),
            [b'.', ref rest @ ..] => return Some(rest),
            [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ref rest @ ..] => {
                let value = [a, b, c].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
                wire.push(u8::try_from(value).ok()?.to_ascii_lowercase());
                text = rest;
            }
            [b'\\', b'0'..=b'9', ..] => return None,
            [b'\\', octet @ 0x21..=0x7e, ref rest @ ..] | [octet @ 0x21..=0x7e, ref rest @ ..]
                if octet != b'\\' || text.starts_with(b"\\\\") =>
            {
                wire.push(octet.to_ascii_lowercase());
                text = rest;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use pktvisor_analysis::name::presentation;

    use super::*;

    fn wire(text: &str) -> Option<Vec<u8>> {
        WireName::parse(text).map(|name| name.as_wire().to_vec())
    }

    #[test]
    fn a_name_is_read_as_lists_present_it() {
        assert_eq!(wire("."), Some(vec![0]));
        assert_eq!(wire("Ab.c"), Some(b"\x02ab\x01c\0".to_vec()));
        assert_eq!(wire("ab.c."), wire("ab.c"));
        for octets in [&b"\x03a.b\0"[..], b"\x04\\\"@;\x01\xff\0", b"\x02\x00 \0", b"\x03123\0"] {
            assert_eq!(wire(&presentation(octets).to_string()).as_deref(), Some(octets));
        }
        let longest = [[b'a'; 63]; 3].map(|label| String::from_utf8(label.to_vec()).unwrap()).join(".");
        assert_eq!(wire(&format!("{longest}.{}", "b".repeat(61))).unwrap().len(), 255);
        assert_eq!(wire(&format!("{longest}.{}", "b".repeat(62))), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long_label = "a".repeat(64);
        for text in ["", "..", ".a", "a..b", "a b", "ä", "a\\", "\\1", "\\25", "\\256", "\\1x", &long_label]
        {
            assert_eq!(wire(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_zone_contains_itself_and_the_names_below_it() {
        let zone = WireName::parse_zone(".b.c").unwrap();
        assert_eq!(Some(zone.clone()), WireName::parse_zone("b.c"));
        for (text, expected) in
            [("b.c", true), ("a.b.c", true), ("c", false), ("ab.c", false), ("b.c.d", false)]
        {
            assert_eq!(zone.contains(&wire(text).unwrap()), expected, "{text}");
        }
        // One label of 4 octets that ends like the zone.
        assert!(!WireName::parse("c").unwrap().contains(b"\x04ab\x01c\0"));
        assert!(WireName::parse_zone(".").unwrap().contains(&wire("a").unwrap()));
    }
}
