//! Places and networks of addresses: city and autonomous system, from MaxMind databases.
//!
//! A place is a text, "NA/United States/WA/Milton" or "1221/Telstra Pty Ltd". It is made once for
//! each record of a database, and then found by address in a cache of fixed size, without
//! allocating. The databases are mapped, so processes share their pages. A database that is
//! replaced by another file stays valid until the new one is opened. A database that is overwritten
//! is lost, and lookups until then may be wrong.

mod cache;
mod database;
mod handle;
mod record;
mod schema;
mod value;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::{AddressCache, PlaceText, Places};
pub use database::GeoError;
use database::{Database, Reopen};
pub use handle::GeoHandle;
use record::{DatabaseKind, Place};

/// The text for an address without a record.
pub const UNKNOWN: &str = "Unknown";

/// The text for an address whose record cannot be decoded.
pub const UNDECODABLE: &str = "Undecodable";

/// The minimum time between checks of the files.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Both databases, if given, and their caches.
#[derive(Debug)]
pub struct Geo {
    city: Option<Source>,
    asn: Option<Source>,
    cache: AddressCache,
    checked: Option<Instant>,
    handle: Arc<GeoHandle>,
}

/// The place and the network of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// "Continent/Country/Subdivision/City"; `None` without a city database.
    pub city: Option<&'a str>,
    /// "Number/Organisation"; `None` without an ASN database.
    pub asn: Option<&'a str>,
}

/// A database and the texts made from it.
#[derive(Debug)]
struct Source {
    database: Database,
    places: Places,
}

impl Geo {
    /// Opens the databases of `--geo-city` and `--geo-asn`.
    pub fn open(city: Option<&Path>, asn: Option<&Path>) -> Result<Self, GeoError> {
        let open = |path: Option<&Path>, kind| path.map(|path| Source::open(path, kind)).transpose();
        let (city, asn) = (open(city, DatabaseKind::City)?, open(asn, DatabaseKind::Asn)?);
        let cache = if city.is_some() || asn.is_some() { AddressCache::new() } else { AddressCache::none() };
        Ok(Self { city, asn, cache, checked: None, handle: Arc::default() })
    }

    /// Whether there is any database.
    pub fn is_empty(&self) -> bool {
        self.city.is_none() && self.asn.is_none()
    }

    /// The handle for other threads.
    pub fn handle(&self) -> Arc<GeoHandle> {
        Arc::clone(&self.handle)
    }

    /// Looks up the country of an address; `None` without a city database.
    pub fn country(&mut self, address: IpAddr) -> Option<&str> {
        let [city, _] = self.ids(address);
        self.city.as_ref().map(|source| source.places.country(city))
    }

    #[inline]
    fn ids(&mut self, address: IpAddr) -> [u32; 2] {
        match self.cache.get(address) {
            Some(ids) => ids,
            None => self.look_up(address),
        }
    }

    /// Looks up an address.
    #[inline]
    pub fn locate(&mut self, address: IpAddr) -> Location<'_> {
        let [city, asn] = self.ids(address);
        Location {
            city: self.city.as_ref().map(|source| source.places.text(city)),
            asn: self.asn.as_ref().map(|source| source.places.text(asn)),
        }
    }

    /// Opens the databases again if their files have changed. Checks at most once a second, or at
    /// once on request. If a new file cannot be used, the old one stays in use, with a warning; an
    /// overwritten file leaves none. This may wait for the disk, so do not call it for each packet.
    pub fn refresh(&mut self, now: Instant) {
        let is_asked = self.handle.take_reopen();
        let is_early =
            self.checked.is_some_and(|checked| now.saturating_duration_since(checked) < CHECK_INTERVAL);
        if is_early && !is_asked {
            return;
        }
        self.checked = Some(now);
        let reopen = if is_asked { Reopen::Always } else { Reopen::IfChanged };
        for source in [&mut self.city, &mut self.asn].into_iter().flatten() {
            if source.database.refresh(reopen) {
                source.places.clear();
                self.cache.clear();
                self.handle.clear_faults(source.database.path());
            }
        }
    }

    #[cold]
    fn look_up(&mut self, address: IpAddr) -> [u32; 2] {
        if [&self.city, &self.asn].into_iter().flatten().any(|source| source.places.is_full()) {
            self.cache.clear();
            for source in [&mut self.city, &mut self.asn].into_iter().flatten() {
                source.places.clear();
            }
        }
        let handle = &*self.handle;
        let id = |source: &mut Option<Source>| source.as_mut().map_or(0, |source| source.id(address, handle));
        let ids = [id(&mut self.city), id(&mut self.asn)];
        self.cache.insert(address, ids);
        ids
    }
}

impl Source {
    fn open(path: &Path, kind: DatabaseKind) -> Result<Self, GeoError> {
        Ok(Self { database: Database::open(path, kind)?, places: Places::new() })
    }

    fn id(&mut self, address: IpAddr, handle: &GeoHandle) -> u32 {
        let database = &self.database;
        let record = match database.find(address) {
            Ok(Some(record)) => record,
            Ok(None) => return Places::UNKNOWN_ID,
            Err(error) => {
                handle.record_fault(database.path(), error.to_string());
                return Places::UNDECODABLE_ID;
            }
        };
        self.places.id(record.offset(), || {
            let Place { text, country, fault } = database.place(&record);
            let nothing = if fault.is_some() { UNDECODABLE } else { UNKNOWN };
            if let Some(fault) = fault {
                handle.record_fault(database.path(), fault);
            }
            match text {
                Some(text) => PlaceText::new(text.into_boxed_str(), country),
                None => PlaceText::missing(nothing),
            }
        })
    }
}

#[cfg(test)]
mod tests;
