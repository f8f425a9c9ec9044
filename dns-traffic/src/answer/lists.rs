//! Exact counts by name, and the text form of names, types and codes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::Hash;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::super::names::{NameKey, Names};

/// The number of occurrences of each name; exact and complete.
#[derive(Clone, Debug)]
pub struct Counts {
    counts: HashMap<Box<str>, u64>,
    pub(super) shown: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self { counts: HashMap::new(), shown: 50 }
    }
}

impl Counts {
    /// The number of occurrences of `name`.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// The number of names.
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// The sum of all counts.
    pub fn sum(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The `entries` most frequent names, by count descending, then by name.
    pub fn top(&self, entries: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> = self.iter().collect();
        let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
        if entries < all.len() {
            all.select_nth_unstable_by(entries, order);
            all.truncate(entries);
        }
        all.sort_unstable_by(order);
        all
    }

    /// All names and their counts, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(name, count)| (&**name, *count))
    }

    pub(super) fn add(&mut self, name: impl Into<Box<str>>, count: u64) {
        *self.counts.entry(name.into()).or_default() += count;
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Entry<'a> {
            name: &'a str,
            count: u64,
        }
        let top: Vec<Entry<'_>> =
            self.top(self.shown).into_iter().map(|(name, count)| Entry { name, count }).collect();
        let mut fields = serializer.serialize_struct("Counts", 3)?;
        fields.serialize_field("distinct", &self.distinct())?;
        fields.serialize_field("sum", &self.sum())?;
        fields.serialize_field("top", &top)?;
        fields.end()
    }
}

/// Adds counts by key.
pub(super) fn add_counts<K: Copy + Eq + Hash>(to: &mut HashMap<K, u64>, from: &HashMap<K, u64>) {
    for (key, count) in from {
        *to.entry(*key).or_default() += count;
    }
}

/// Writes a name without the root label.
pub(super) fn write_wire(names: &Names, key: NameKey, wire: &mut Vec<u8>) {
    wire.clear();
    names.wire(key, wire);
}

/// A name in wire format as RFC 1035 section 5.1 writes it, without the last dot, except for the
/// root.
pub(super) fn present(wire: &[u8]) -> String {
    if wire.is_empty() {
        return ".".to_owned();
    }
    let mut text = String::with_capacity(wire.len());
    for label in labels(wire) {
        if !text.is_empty() {
            text.push('.');
        }
        for byte in label {
            match byte {
                b'"' | b'$' | b'(' | b')' | b'.' | b';' | b'@' | b'\\' => {
                    text.extend(['\\', char::from(*byte)])
                }
                0x21..=0x7e => text.push(char::from(byte.to_ascii_lowercase())),
                _ => {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "\\{byte:03}");
                }
            }
        }
    }
    text
}

/// The last `keep` labels, with a dot in front where something was cut off; `None` if there are
/// fewer labels than `at_least`.
pub(super) fn suffix(wire: &[u8], keep: usize, at_least: usize) -> Option<String> {
    let starts: Vec<usize> = label_starts(wire).collect();
    if starts.len() < at_least {
        return None;
    }
    let cut = starts.len().saturating_sub(keep);
    let text = present(starts.get(cut).map_or(wire, |start| &wire[*start..]));
    Some(if cut > 0 { format!(".{text}") } else { text })
}

/// The name, or of one that is longer than `bytes_max` as many of its last labels as fit, with a dot
/// in front.
pub(super) fn last_labels(wire: &[u8], bytes_max: usize) -> String {
    match label_starts(wire).find(|start| wire.len() - start <= bytes_max) {
        Some(start) if start > 0 => format!(".{}", present(&wire[start..])),
        _ => present(wire),
    }
}

fn label_starts(wire: &[u8]) -> impl Iterator<Item = usize> {
    let next = move |at: usize| wire.get(at).map(|len| at + 1 + usize::from(*len));
    std::iter::successors(Some(0), move |at| next(*at)).take_while(|at| *at < wire.len())
}

fn labels(wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    label_starts(wire).map(|at| &wire[at + 1..at + 1 + usize::from(wire[at])])
}

/// A response code as pktvisor 3.0 spelled it.
pub(super) fn rcode_name(code: u16) -> String {
    let name = match code {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SRVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        11 => "DSOTYPENI",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// An operation code as IANA names it; only those that the generator uses.
pub(super) fn opcode_name(opcode: u16) -> String {
    match opcode {
        0 => "QUERY".to_owned(),
        4 => "NOTIFY".to_owned(),
        5 => "UPDATE".to_owned(),
        6 => "DSO".to_owned(),
        other => other.to_string(),
    }
}

/// A query type as IANA names it; only those that the generator uses.
pub(super) fn qtype_name(qtype: u16) -> String {
    let name = match qtype {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        10 => "NULL",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        43 => "DS",
        44 => "SSHFP",
        46 => "RRSIG",
        48 => "DNSKEY",
        52 => "TLSA",
        64 => "SVCB",
        65 => "HTTPS",
        99 => "SPF",
        255 => "ANY",
        256 => "URI",
        257 => "CAA",
        other => return format!("TYPE{other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_have_a_leading_dot_if_labels_were_cut_off() {
        let cases: [(&[u8], Option<&str>, Option<&str>); 5] = [
            (b"\x01a\x01b\x07example\x03com", Some(".example.com"), Some(".b.example.com")),
            (b"\x01b\x07example\x03com", Some(".example.com"), Some("b.example.com")),
            (b"\x07example\x03com", Some("example.com"), None),
            (b"\x03com", Some("com"), None),
            (b"", Some("."), None),
        ];
        for (wire, two, three) in cases {
            assert_eq!(suffix(wire, 2, 0).as_deref(), two);
            assert_eq!(suffix(wire, 3, 3).as_deref(), three);
        }
    }

    #[test]
    fn odd_bytes_are_escaped() {
        assert_eq!(present(b"\x0aa b;c(d)@$\x01\""), "a\\032b\\;c\\(d\\)\\@\\$.\\\"");
        assert_eq!(present(b"\x04a.b\\\x02\xc3\xbc\x01\x09"), "a\\.b\\\\.\\195\\188.\\009");
    }
}
