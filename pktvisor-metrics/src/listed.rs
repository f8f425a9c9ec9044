//! Lists as a report shows them: the largest entries, with their keys as text.

use std::net::IpAddr;

use pktvisor_analysis::mnemonics::{qtype_name, rcode_name};
use pktvisor_analysis::name::presentation;
use pktvisor_api as api;
use pktvisor_common::address::{Address, IpVersion};

use crate::codes::CodeCounts;
use crate::frequent::{FrequentItems, Key};
use crate::keys::CUT;

/// The number of entries that a report shows of each list, if the list has as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListLength(usize);

impl ListLength {
    /// The length of a list if the client asks for no other.
    pub const DEFAULT: Self = Self(10);

    /// The greatest length.
    pub const MAX: usize = 1000;

    /// A length from 1 to [`MAX`](Self::MAX); `None` for any other.
    pub fn new(entries: usize) -> Option<Self> {
        (1..=Self::MAX).contains(&entries).then_some(Self(entries))
    }

    /// The number of entries.
    pub fn entries(self) -> usize {
        self.0
    }
}

/// Writes the keys of a list.
pub(super) mod spell {
    #![expect(non_snake_case, reason = "named as in the declarations")]

    use super::*;

    pub(crate) fn Address(key: Key<'_>) -> String {
        let mut bytes = [0; 16];
        let len = key.bytes.len().min(bytes.len());
        bytes[..len].copy_from_slice(&key.bytes[..len]);
        let version = if key.tag == IpVersion::V4.number() { IpVersion::V4 } else { IpVersion::V6 };
        IpAddr::from(Address::new(version, &bytes)).to_string()
    }

    pub(crate) fn Name(key: Key<'_>) -> String {
        let dot = if key.tag == CUT { "." } else { "" };
        format!("{dot}{}", presentation(key.bytes))
    }

    pub(crate) fn Text(key: Key<'_>) -> String {
        String::from_utf8_lossy(key.bytes).into_owned()
    }

    pub(crate) fn Rcode(code: u16) -> String {
        rcode_name(code).into_owned()
    }

    pub(crate) fn Qtype(code: u16) -> String {
        qtype_name(code).into_owned()
    }

    pub(crate) fn Port(port: u16) -> String {
        port.to_string()
    }
}

/// A set of counts that can be listed, with keys as text.
pub(super) trait Listed<F> {
    /// The largest entries, by count descending, then by name.
    fn listed(&self, length: ListLength, spell: F) -> Vec<api::TopEntry>;
}

impl<F: Fn(Key<'_>) -> String> Listed<F> for FrequentItems {
    fn listed(&self, length: ListLength, spell: F) -> Vec<api::TopEntry> {
        frequent(self, length, spell)
    }
}

impl<F: Fn(u16) -> String> Listed<F> for CodeCounts {
    fn listed(&self, length: ListLength, spell: F) -> Vec<api::TopEntry> {
        codes(self, length, spell)
    }
}

fn frequent(
    items: &FrequentItems,
    length: ListLength,
    spell: impl Fn(Key<'_>) -> String,
) -> Vec<api::TopEntry> {
    let entry = |(name, item): (String, super::frequent::Item<'_>)| api::TopEntry {
        name,
        estimate: item.lower,
        lower: Some(item.lower),
        upper: Some(item.upper),
        scaled: None,
    };
    items.top(length.0, spell).into_iter().map(entry).collect()
}

fn codes(
    codes: &CodeCounts,
    ListLength(length): ListLength,
    spell: impl Fn(u16) -> String,
) -> Vec<api::TopEntry> {
    let mut counts: Vec<u64> = codes.iter().map(|(_, count)| count).collect();
    let least = match counts.len() {
        len if len <= length => 0,
        _ => *counts.select_nth_unstable_by(length - 1, |a, b| b.cmp(a)).1,
    };
    // There may be ten thousands of ports; only those that may be listed are written as text.
    let mut all: Vec<_> =
        codes.iter().filter(|(_, count)| *count >= least).map(|(code, count)| (count, spell(code))).collect();
    all.sort_by(|(count_a, name_a), (count_b, name_b)| count_b.cmp(count_a).then_with(|| name_a.cmp(name_b)));
    all.truncate(length);
    let entry = |(count, name): (u64, String)| api::TopEntry {
        name,
        estimate: count,
        lower: Some(count),
        upper: Some(count + codes.bound()),
        scaled: None,
    };
    all.into_iter().map(entry).collect()
}
