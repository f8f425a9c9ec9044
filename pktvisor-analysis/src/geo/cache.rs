//! The caches of lookups: texts by record, and records by address. Both have a fixed ceiling.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

use super::{UNDECODABLE, UNKNOWN};

/// Number of addresses in the cache.
const ADDRESSES: usize = 65_536;

/// Number of places for one address.
const WAYS: usize = 4;

/// Maximum number of texts of a database, which has about twice as many. At this number the cache
/// is cleared.
const TEXTS_MAX: usize = 131_072;

/// A set-associative cache from addresses to the numbers of their texts.
#[derive(Debug)]
pub(super) struct AddressCache {
    sets: Vec<[AddressSlot; WAYS]>,
}

/// IPv4 addresses are kept as IPv4-mapped ones, as in the databases.
#[derive(Clone, Copy, Debug)]
struct AddressSlot {
    address: u128,
    ids: [u32; 2],
}

impl AddressSlot {
    /// No text has the highest number.
    const EMPTY: Self = Self { address: 0, ids: [u32::MAX; 2] };
}

impl AddressCache {
    pub(super) fn new() -> Self {
        Self { sets: vec![[AddressSlot::EMPTY; WAYS]; ADDRESSES / WAYS] }
    }

    /// A cache that keeps nothing.
    pub(super) fn none() -> Self {
        Self { sets: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.sets.fill([AddressSlot::EMPTY; WAYS]);
    }

    #[inline]
    pub(super) fn get(&self, address: IpAddr) -> Option<[u32; 2]> {
        let address = bits(address);
        let set = self.sets.get(self.set(address))?;
        let slot = set.iter().find(|slot| slot.address == address && slot.ids != AddressSlot::EMPTY.ids)?;
        Some(slot.ids)
    }

    /// The newest address is first; the oldest one is dropped.
    pub(super) fn insert(&mut self, address: IpAddr, ids: [u32; 2]) {
        let address = bits(address);
        let set = self.set(address);
        if let Some(set) = self.sets.get_mut(set) {
            set.rotate_right(1);
            set[0] = AddressSlot { address, ids };
        }
    }

    #[inline]
    fn set(&self, address: u128) -> usize {
        let folded = address as u64 ^ ((address >> 64) as u64).rotate_left(32);
        let hash = (folded ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xd6e8_feb8_6659_fd93);
        ((u128::from(hash) * self.sets.len() as u128) >> 64) as usize
    }
}

#[inline]
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The text of a place.
#[derive(Debug)]
pub(super) struct PlaceText {
    text: Box<str>,
    /// The part that is the country; the whole text if the place is not known.
    country: Option<Range<usize>>,
}

impl PlaceText {
    pub(super) fn new(text: Box<str>, country: Option<Range<usize>>) -> Self {
        Self { text, country }
    }

    /// A text that stands for a missing place.
    pub(super) fn missing(text: &str) -> Self {
        Self { text: text.into(), country: Some(0..text.len()) }
    }
}

/// The texts made from a database's records, numbered.
#[derive(Debug)]
pub(super) struct Places {
    /// The first ones are `UNKNOWN` and `UNDECODABLE`.
    texts: Vec<PlaceText>,
    /// By the record's place in the database.
    ids: HashMap<usize, u32>,
}

impl Places {
    pub(super) const UNKNOWN_ID: u32 = 0;
    pub(super) const UNDECODABLE_ID: u32 = 1;

    pub(super) fn new() -> Self {
        Self {
            texts: vec![PlaceText::missing(UNKNOWN), PlaceText::missing(UNDECODABLE)],
            ids: HashMap::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.texts.len() > TEXTS_MAX
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    #[inline]
    pub(super) fn text(&self, id: u32) -> &str {
        self.texts.get(id as usize).map_or(UNKNOWN, |place| &place.text)
    }

    /// The country of a place; [`UNKNOWN`] if its record names none.
    pub(super) fn country(&self, id: u32) -> &str {
        let place = self.texts.get(id as usize);
        place.and_then(|place| place.text.get(place.country.clone()?)).unwrap_or(UNKNOWN)
    }

    /// The number of a record's text. The text is made if it is not cached.
    pub(super) fn id(&mut self, record_offset: Option<usize>, text: impl FnOnce() -> PlaceText) -> u32 {
        let Some(offset) = record_offset else { return Self::UNKNOWN_ID };
        *self.ids.entry(offset).or_insert_with(|| {
            self.texts.push(text());
            self.texts.len() as u32 - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_until_newer_ones_take_its_places() {
        let mut cache = AddressCache::new();
        let addresses: Vec<IpAddr> = (0..200_000_u32).map(|n| IpAddr::from(n.to_be_bytes())).collect();
        for (n, &address) in addresses.iter().enumerate() {
            assert_eq!(cache.get(address), None);
            cache.insert(address, [n as u32, 7]);
            assert_eq!(cache.get(address), Some([n as u32, 7]));
        }
        let kept = addresses.iter().filter(|&&address| cache.get(address).is_some()).count();
        assert!(kept > ADDRESSES / 2 && kept <= ADDRESSES, "{kept}");
        cache.clear();
        assert!(addresses.iter().all(|&address| cache.get(address).is_none()));
    }

    #[test]
    fn the_unspecified_address_is_not_taken_for_an_empty_place() {
        assert_eq!(AddressCache::new().get("::".parse().expect("an address")), None);
    }

    #[test]
    fn a_text_is_made_once_for_a_record() {
        let mut places = Places::new();
        let id = places.id(Some(40), || PlaceText::new("here".into(), None));
        assert_eq!(places.id(Some(40), || unreachable!("it is known")), id);
        assert_eq!((places.text(id), places.text(Places::UNKNOWN_ID)), ("here", "Unknown"));
        places.clear();
        assert_eq!(places.text(id), "Unknown");
    }
}
