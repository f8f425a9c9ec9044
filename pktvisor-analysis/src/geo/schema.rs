//! Checks whether a database has the fields of the kind that it was given as.
//!
//! Makers choose the names of their databases and fields freely. A database without any known field
//! would make every address "Unknown", as if it had no entry, so it is rejected.

use std::collections::BTreeMap;

use mapped_file::MappedFile;
use maxminddb::{Reader, WithinOptions};
use serde::de::IgnoredAny;

use super::record::{DatabaseKind, Record};

/// Number of records that are checked. Nearly always the first one decides.
const RECORDS_MAX: usize = 256;

/// Number of networks that are checked, with a record or not. A damaged tree can have any number of
/// them.
const NETWORKS_MAX: usize = 65_536;

/// Number of fields of a record that a message names.
const FIELDS_MAX: usize = 8;

/// Longer names are cut in messages.
const NAME_CHARS_MAX: usize = 60;

/// The content of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The fields of the kind that it was given as, or nothing to the contrary.
    Fits,
    /// The fields of the other kind.
    IsOtherKind,
    /// Records with unknown fields, some of which are named.
    IsForeign {
        /// Names of fields.
        fields: String,
    },
    /// Nothing that can be read.
    IsDamaged {
        /// Why.
        reason: String,
    },
}

/// Judges a database that was given as `wanted`.
pub(super) fn judge(reader: &Reader<MappedFile>, wanted: DatabaseKind) -> Verdict {
    let sample = Sample::of(reader, wanted);
    let named = Named::of(&reader.metadata().database_type);
    let other = named.only().is_some_and(|kind| kind != wanted);
    if sample.has(wanted) {
        // A database of networks may say in which country each is registered, which is not where
        // its addresses are.
        let is_mixed_up = wanted == DatabaseKind::City && other && sample.has(DatabaseKind::Asn);
        return if is_mixed_up { Verdict::IsOtherKind } else { Verdict::Fits };
    }
    if other || DatabaseKind::ALL.into_iter().any(|kind| sample.has(kind)) {
        return Verdict::IsOtherKind;
    }
    // Records without any part occur in good databases. A tree without records and without an end
    // does not.
    if named.is(wanted) && !(sample.records == 0 && sample.fault.is_some()) {
        return Verdict::Fits;
    }
    match (sample.fault, sample.fields) {
        (Some(reason), _) => Verdict::IsDamaged { reason },
        (None, Some(fields)) => Verdict::IsForeign { fields },
        (None, None) => Verdict::Fits,
    }
}

/// The content of the first records of a database.
#[derive(Debug, Default)]
struct Sample {
    /// How many there were.
    records: usize,
    /// The kinds of which some record has fields.
    found: Vec<DatabaseKind>,
    /// The fields of the first record; none if there is no record.
    fields: Option<String>,
    /// The error of the first unreadable record.
    fault: Option<String>,
}

impl Sample {
    /// Checks records until one has the wanted fields, and a few at most.
    fn of(reader: &Reader<MappedFile>, wanted: DatabaseKind) -> Self {
        let mut sample = Self::default();
        let networks = match reader.networks(WithinOptions::default().include_networks_without_data()) {
            Ok(networks) => networks,
            Err(error) => return Self { fault: Some(error.to_string()), ..sample },
        };
        let mut last_offset = None;
        for network in networks.take(NETWORKS_MAX) {
            match network {
                // Neighbours often share a record.
                Ok(record) if record.has_data() && record.offset() != last_offset => {
                    last_offset = record.offset();
                    sample.records += 1;
                    sample.look_at(&record);
                }
                Ok(_) => {}
                Err(error) => sample.fault = sample.fault.or_else(|| Some(error.to_string())),
            }
            if sample.has(wanted) || sample.records == RECORDS_MAX {
                break;
            }
        }
        sample
    }

    fn look_at(&mut self, record: &Record<'_>) {
        for kind in DatabaseKind::ALL {
            let place = kind.place(record);
            if place.text.is_some() && !self.has(kind) {
                self.found.push(kind);
            }
            self.fault = self.fault.take().or(place.fault);
        }
        if self.fields.is_none() {
            self.fields = fields(record);
        }
    }

    fn has(&self, kind: DatabaseKind) -> bool {
        self.found.contains(&kind)
    }
}

/// The names of a record's fields; none if it is no map.
fn fields(record: &Record<'_>) -> Option<String> {
    let fields: BTreeMap<String, IgnoredAny> = record.decode().ok()??;
    let names: Vec<_> = fields.keys().take(FIELDS_MAX).map(|name| printable(name)).collect();
    Some(if names.is_empty() { "no fields".to_owned() } else { names.join(", ") })
}

/// A name from a database for a message of one line.
pub(super) fn printable(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect()
}

/// The kind of a database by its name.
#[derive(Clone, Copy, Debug)]
struct Named {
    is_city: bool,
    is_asn: bool,
}

impl Named {
    /// By the words in it: "GeoLite2-ASN", "DBIP-City-Lite", "ipinfo standard_location.mmdb".
    fn of(database_type: &str) -> Self {
        let has = |words: &[&str]| {
            let is_one = |part: &str| words.iter().any(|word| part.eq_ignore_ascii_case(word));
            database_type.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_one)
        };
        Self { is_city: has(&["City", "Country", "Enterprise", "Location"]), is_asn: has(&["ASN", "ISP"]) }
    }

    fn is(self, kind: DatabaseKind) -> bool {
        match kind {
            DatabaseKind::City => self.is_city,
            DatabaseKind::Asn => self.is_asn,
        }
    }

    /// The kind, if there is exactly one.
    fn only(self) -> Option<DatabaseKind> {
        match self {
            Self { is_city: true, is_asn: false } => Some(DatabaseKind::City),
            Self { is_city: false, is_asn: true } => Some(DatabaseKind::Asn),
            _ => None,
        }
    }
}
