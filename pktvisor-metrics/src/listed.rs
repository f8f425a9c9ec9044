//! Lists as a report shows them: the largest entries, with their keys as text.

use std::net::IpAddr;

use pktvisor_analysis::mnemonics::{extended_error_name, opcode_name, qclass_name, qtype_name, rcode_name};
use pktvisor_analysis::name::presentation;
use pktvisor_api as api;
use pktvisor_common::address::{Address, IpVersion};

use crate::codes::CodeCounts;
use crate::frequent::{Frequent, FrequentItems, Item, Key};
use crate::keys::CUT;
use crate::rare_items::RareItems;

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

/// What a report needs of each list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListQuery {
    pub length: ListLength,
    pub absent: AbsentItems,
}

/// Whether a report bounds the counts of the items that a list leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AbsentItems {
    Bounded,
    Ignored,
}

impl ListQuery {
    pub(super) fn bound(self, absent_upper: impl FnOnce() -> u64) -> Option<u64> {
        (self.absent == AbsentItems::Bounded).then(absent_upper)
    }
}

/// A list as a report shows it.
#[derive(Clone, Debug)]
pub(super) struct ReportedList {
    pub entries: Vec<api::TopEntry>,
    /// The greatest true count of an item that is not among the entries; `None` if nobody asked, or
    /// if the items are unknown.
    pub absent_upper: Option<u64>,
}

impl ReportedList {
    /// The list of items that add up to `total` and cannot be told apart.
    pub(super) fn of_unknown(total: u64) -> Self {
        Self { entries: Vec::new(), absent_upper: (total == 0).then_some(0) }
    }

    /// The longest of these lists' entries together. No item is in several of them.
    pub(super) fn joined(lists: impl IntoIterator<Item = Self>, length: ListLength) -> Self {
        let mut joined = Self { entries: Vec::new(), absent_upper: None };
        for list in lists {
            joined.entries.extend(list.entries);
            joined.absent_upper = joined.absent_upper.max(list.absent_upper);
        }
        let entries = &mut joined.entries;
        entries.sort_by(|a, b| b.estimate.cmp(&a.estimate).then_with(|| a.name.cmp(&b.name)));
        let left_out = entries.iter().skip(length.0).filter_map(|entry| entry.upper).max();
        joined.absent_upper = joined.absent_upper.map(|upper| upper.max(left_out.unwrap_or(0)));
        entries.truncate(length.0);
        joined
    }
}

/// Tag of a client subnet of a family other than IPv4 and IPv6.
pub(super) const OTHER_FAMILY: u8 = 0;

/// The address with these octets, filled with zeros.
fn widened(version_number: u8, octets: &[u8]) -> IpAddr {
    let mut bytes = [0; 16];
    let len = octets.len().min(bytes.len());
    bytes[..len].copy_from_slice(&octets[..len]);
    let is_v4 = version_number == IpVersion::V4.number();
    Address::new(if is_v4 { IpVersion::V4 } else { IpVersion::V6 }, &bytes).into()
}

/// The address of a list's key, if it is one.
pub(super) fn address(key: Key<'_>) -> Option<IpAddr> {
    (key.tag != OTHER_FAMILY).then(|| widened(key.tag, key.bytes))
}

/// The address of a prefix, if it is one.
pub(super) fn address_of_prefix(key: Key<'_>) -> Option<IpAddr> {
    let (_, octets) = key.bytes.split_last()?;
    (key.tag != OTHER_FAMILY).then(|| widened(key.tag, octets))
}

/// Writes the keys of a list.
pub(super) mod spell {
    #![expect(non_snake_case, reason = "named as in the declarations")]

    use super::*;

    pub(crate) fn Address(key: Key<'_>) -> String {
        widened(key.tag, key.bytes).to_string()
    }

    /// The octets that the prefix covers, and behind them its length in bits.
    pub(crate) fn Prefix(key: Key<'_>) -> String {
        let (bits, octets) = key.bytes.split_last().unwrap_or((&0, &[]));
        match key.tag {
            OTHER_FAMILY => format!("other family/{bits}"),
            version => format!("{}/{bits}", widened(version, octets)),
        }
    }

    pub(crate) fn Opcode(code: u16) -> String {
        opcode_name(code as u8).into_owned()
    }

    pub(crate) fn Qclass(code: u16) -> String {
        qclass_name(code).into_owned()
    }

    pub(crate) fn Ede(code: u16) -> String {
        extended_error_name(code).into_owned()
    }

    pub(crate) fn Name(key: Key<'_>) -> String {
        let dot = if key.tag == CUT { "." } else { "" };
        format!("{dot}{}", presentation(key.bytes))
    }

    /// Without the dot in front of a cut name.
    pub(crate) fn Zone(key: Key<'_>) -> String {
        presentation(key.bytes).to_string()
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
    fn listed(&self, query: ListQuery, spell: F) -> ReportedList;
}

impl<F: Fn(Key<'_>) -> String> Listed<F> for FrequentItems {
    fn listed(&self, query: ListQuery, spell: F) -> ReportedList {
        frequent(self, 0, query, spell)
    }
}

impl<F: Fn(Key<'_>) -> String> Listed<F> for RareItems {
    fn listed(&self, query: ListQuery, spell: F) -> ReportedList {
        frequent(self, 0, query, spell)
    }
}

impl<F: Fn(u16) -> String> Listed<F> for CodeCounts {
    fn listed(&self, query: ListQuery, spell: F) -> ReportedList {
        codes(self, query, spell)
    }
}

/// One list of a table.
pub(super) fn frequent<const W: usize>(
    items: &Frequent<W>,
    list: usize,
    query: ListQuery,
    spell: impl Fn(Key<'_>) -> String,
) -> ReportedList {
    let length = query.length.0;
    of_items(items.top_of(list, length, spell), query.bound(|| items.absent_upper_of(list, length)))
}

/// All lists of a table.
pub(super) fn all_lists<const W: usize>(
    items: &Frequent<W>,
    query: ListQuery,
    spell: impl Fn(Key<'_>) -> String,
) -> Vec<ReportedList> {
    let length = query.length.0;
    let tops = items.tops(length, spell).into_iter().enumerate();
    tops.map(|(list, top)| of_items(top, query.bound(|| items.absent_upper_of(list, length)))).collect()
}

fn of_items(items: Vec<(String, Item<'_>)>, absent_upper: Option<u64>) -> ReportedList {
    let entry = |(name, item): (String, Item<'_>)| api::TopEntry {
        name,
        estimate: item.lower,
        lower: Some(item.lower),
        upper: Some(item.upper),
        scaled: None,
    };
    ReportedList { entries: items.into_iter().map(entry).collect(), absent_upper }
}

fn codes(codes: &CodeCounts, query: ListQuery, spell: impl Fn(u16) -> String) -> ReportedList {
    let length = query.length.0;
    let mut counts: Vec<u64> = codes.iter().map(|(_, count)| count).collect();
    let least = match counts.len() {
        len if len <= length => 0,
        _ => *counts.select_nth_unstable_by(length - 1, |a, b| b.cmp(a)).1,
    };
    // Behind the largest counts are those that are left out.
    let left_out = counts.get(length..).and_then(|left_out| left_out.iter().max()).copied().unwrap_or(0);
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
    ReportedList {
        entries: all.into_iter().map(entry).collect(),
        absent_upper: query.bound(|| left_out + codes.bound()),
    }
}
