//! From a database record to the text that stands for it.

use std::borrow::Cow;

use mapped_file::MappedFile;
use maxminddb::{LookupResult, PathElement, path};

/// Longer texts are cut: a database is not ours.
const TEXT_BYTES_MAX: usize = 256;

pub(super) type Record<'a> = LookupResult<'a, MappedFile>;

/// What a database is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    City,
    Asn,
}

impl Kind {
    /// Whether a database type, as its metadata names it, is the other kind. Databases of other makers have names of
    /// their own, so that only a clear mix-up is refused.
    pub(super) fn excludes(self, database_type: &str) -> bool {
        let is_city = ["City", "Country", "Enterprise"].iter().any(|word| database_type.contains(word));
        let is_asn = ["ASN", "ISP"].iter().any(|word| database_type.contains(word));
        match self {
            Self::City => is_asn && !is_city,
            Self::Asn => is_city && !is_asn,
        }
    }

    /// What is expected, for messages.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::City => "city or country",
            Self::Asn => "ASN or ISP",
        }
    }

    /// The text for a record; parts it lacks are left out. None when it has none of them.
    pub(super) fn text(self, record: &Record<'_>) -> Option<String> {
        match self {
            Self::City => join(&[
                string(record, &path!["continent", "code"]),
                string(record, &path!["country", "names", "en"])
                    .or_else(|| string(record, &path!["country", "iso_code"])),
                string(record, &path!["subdivisions", 0, "iso_code"]),
                string(record, &path!["city", "names", "en"]),
            ]),
            Self::Asn => join(&[
                number(record, &path!["autonomous_system_number"]),
                string(record, &path!["autonomous_system_organization"]),
            ]),
        }
    }
}

/// A field of a record; one of another type is as good as none.
fn string<'a>(record: &Record<'a>, path: &[PathElement<'_>]) -> Option<Cow<'a, str>> {
    let text: &str = record.decode_path(path).ok()??;
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

fn number<'a>(record: &Record<'a>, path: &[PathElement<'_>]) -> Option<Cow<'a, str>> {
    let number: u32 = record.decode_path(path).ok()??;
    Some(Cow::Owned(number.to_string()))
}

fn join(parts: &[Option<Cow<'_, str>>]) -> Option<String> {
    let parts: Vec<_> = parts.iter().flatten().map(AsRef::as_ref).collect();
    let mut text = parts.join("/");
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    (!text.is_empty()).then_some(text)
}
