//! Makes the text of a database record.
//!
//! It reads two families of schemas: MaxMind's, which nests ("country" is a map with names in many
//! languages), and flat ones such as IPinfo's ("country_code", "asn", "as_name").

use std::borrow::Cow;
use std::ops::Range;

use mapped_file::MappedFile;
use maxminddb::{LookupResult, MaxMindDbError};
use serde::Deserializer;
use serde::de::{Deserialize, DeserializeSeed};

use super::value::Value;

/// Longer texts are cut, because a database is outside input.
const TEXT_BYTES_MAX: usize = 256;

pub(super) type Record<'a> = LookupResult<'a, MappedFile>;

/// The paths of a part of the text, best first.
type Paths = &'static [&'static [&'static str]];

const CONTINENT: Paths =
    &[&["continent", "code"], &["continent_code"], &["continent"], &["geo", "continent_code"]];
const COUNTRY: Paths = &[
    &["country", "names", "en"],
    &["country", "iso_code"],
    &["country_name"],
    &["country"],
    &["country_code"],
    &["geo", "country"],
    &["geo", "country_code"],
];
const SUBDIVISION: Paths = &[
    &["subdivisions", "iso_code"],
    &["region_code"],
    &["region"],
    &["state1"],
    &["geo", "region_code"],
    &["geo", "region"],
];
const CITY: Paths = &[&["city", "names", "en"], &["city"], &["geo", "city"]];
const NUMBER: Paths = &[
    &["autonomous_system_number"],
    &["traits", "autonomous_system_number"],
    &["asn"],
    &["as_number"],
    &["as", "asn"],
    &["asn", "asn"],
];
const ORGANISATION: Paths = &[
    &["autonomous_system_organization"],
    &["traits", "autonomous_system_organization"],
    &["as_name"],
    &["as", "name"],
    &["asn", "name"],
];
/// Names so general that they count only beside a number.
const ORGANISATION_OF_NUMBER: Paths = &[&["name"], &["org"]];

/// The purpose of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatabaseKind {
    City,
    Asn,
}

/// The content of a record about an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its parts, joined, without the missing ones. `None` if all are missing.
    pub(super) text: Option<String>,
    /// The part of the text that is the country.
    pub(super) country: Option<Range<usize>>,
    /// The reason why a part cannot be read.
    pub(super) fault: Option<String>,
}

impl DatabaseKind {
    pub(super) const ALL: [Self; 2] = [Self::City, Self::Asn];

    /// The kind of database with its article, for messages.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::City => "a city or country",
            Self::Asn => "an ASN or ISP",
        }
    }

    /// Reads a record.
    pub(super) fn place(self, record: &Record<'_>) -> Place {
        match decode(record) {
            Ok(value) => self.place_of(&value),
            Err(error) => Place { text: None, country: None, fault: Some(error.to_string()) },
        }
    }

    fn place_of(self, value: &Value<'_>) -> Place {
        if !matches!(value, Value::Map(_)) {
            return Place { text: None, country: None, fault: Some("the record is no map".to_owned()) };
        }
        let parts = match self {
            Self::City => [CONTINENT, COUNTRY, SUBDIVISION, CITY].map(|paths| text(value, paths)).to_vec(),
            Self::Asn => network(value),
        };
        let fault = parts.iter().find_map(|part| match part {
            Part::Unreadable(field) => Some(format!("the value of {field} cannot be understood")),
            _ => None,
        });
        let text = join(&parts);
        let country = (self == Self::City).then(|| country(&parts)).flatten();
        let country = country.filter(|country| text.as_ref().is_some_and(|text| country.end <= text.len()));
        Place { text, country, fault }
    }
}

/// A part of a text.
#[derive(Clone, Debug)]
enum Part<'a> {
    Found(Cow<'a, str>),
    Missing,
    /// The field of that name has a value of a wrong type, or out of range.
    Unreadable(&'static str),
}

/// Tries the paths in order, for a value that `read` understands. Maps and lists are skipped,
/// because another path may lead into them.
fn part<'a>(value: &Value<'a>, paths: Paths, read: impl Fn(&Value<'a>) -> Option<Cow<'a, str>>) -> Part<'a> {
    let mut unreadable = None;
    for path in paths {
        match value.get(path) {
            None | Some(Value::Map(_) | Value::List(_) | Value::Text("")) => {}
            Some(value) => match read(value) {
                Some(text) => return Part::Found(text),
                None => unreadable = unreadable.or(path.last()),
            },
        }
    }
    unreadable.map_or(Part::Missing, |field| Part::Unreadable(field))
}

fn text<'a>(value: &Value<'a>, paths: Paths) -> Part<'a> {
    part(value, paths, |value| match *value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        _ => None,
    })
}

/// Number and organisation.
fn network<'a>(value: &Value<'a>) -> Vec<Part<'a>> {
    let number = part(value, NUMBER, |value| as_number(value).map(|(number, _)| number.to_string().into()));
    let mut organisation = text(value, ORGANISATION);
    if let (Part::Found(_), Part::Missing) = (&number, &organisation) {
        organisation = text(value, ORGANISATION_OF_NUMBER);
    }
    if let (Part::Found(_), Part::Missing) = (&number, &organisation) {
        // "AS64500 Example Net"
        organisation = part(value, NUMBER, |value| as_number(value)?.1.map(Cow::Borrowed));
        if let Part::Unreadable(_) = organisation {
            organisation = Part::Missing;
        }
    }
    vec![number, organisation]
}

/// An autonomous system's number (32 bits, RFC 6793) and the text behind it: a number of any type,
/// or a text like "64500", "AS64500" or "AS64500 Example Net".
fn as_number<'a>(value: &Value<'a>) -> Option<(u32, Option<&'a str>)> {
    match *value {
        Value::Number(number) => Some((u32::try_from(number).ok()?, None)),
        Value::Text(text) => {
            let text = text.trim();
            let (number, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let prefix = number.get(..2).filter(|prefix| prefix.eq_ignore_ascii_case("AS"));
            let digits = &number[prefix.map_or(0, str::len)..];
            let is_number = digits.bytes().all(|octet| octet.is_ascii_digit());
            let rest = rest.trim();
            Some((digits.parse().ok().filter(|_| is_number)?, (!rest.is_empty()).then_some(rest)))
        }
        _ => None,
    }
}

/// Decodes the needed fields of a record.
fn decode<'a>(record: &Record<'a>) -> Result<Value<'a>, MaxMindDbError> {
    let Decoded(value) = record.decode()?.unwrap_or(Decoded(Value::Map(Vec::new())));
    Ok(value)
}

/// A [`Value`] as the reader of the database wants it.
struct Decoded<'a>(Value<'a>);

impl<'de> Deserialize<'de> for Decoded<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::seed().deserialize(deserializer).map(Self)
    }
}

/// Where the joined text has the country, the second part of a city's text.
fn country(parts: &[Part<'_>]) -> Option<Range<usize>> {
    let [continent, Part::Found(country), ..] = parts else { return None };
    let start = match continent {
        Part::Found(continent) => continent.len() + 1,
        _ => 0,
    };
    Some(start..start + country.len())
}

fn join(parts: &[Part<'_>]) -> Option<String> {
    let mut found = Vec::new();
    for part in parts {
        if let Part::Found(text) = part {
            found.push(text.as_ref());
        }
    }
    let mut text = found.join("/");
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    (!text.is_empty()).then_some(text)
}
