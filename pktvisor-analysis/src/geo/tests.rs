mod schemas;

use std::fs::File;
use std::io::Write;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// Builds a database of IPv4 in which 0.0.0.0/1 has one record and 128.0.0.0/1 none
/// (<https://maxmind.github.io/MaxMind-DB/>).
fn database(database_type: &str, record: &[u8]) -> Vec<u8> {
    // One node of two 24-bit pointers: to the first record behind 1 node and 16 zero octets, and to
    // nothing.
    let mut octets = vec![0, 0, 17, 0, 0, 1];
    octets.extend([0; 16]);
    octets.extend(record);
    octets.extend(b"\xab\xcd\xefMaxMind.com");
    let fields = [
        ("binary_format_major_version", vec![0xa1, 2]),
        ("binary_format_minor_version", vec![0xa0]),
        ("build_epoch", vec![0x01, 0x02, 1]),
        ("database_type", text(database_type)),
        ("description", vec![0xe0]),
        ("ip_version", vec![0xa1, 4]),
        ("languages", vec![0x00, 0x04]),
        ("node_count", vec![0xc1, 1]),
        ("record_size", vec![0xa1, 24]),
    ];
    octets.extend(map(&fields));
    octets
}

fn text(text: &str) -> Vec<u8> {
    let len = u8::try_from(text.len()).expect("a short text");
    let mut octets = if len < 29 { vec![0x40 | len] } else { vec![0x40 | 29, len - 29] };
    octets.extend(text.bytes());
    octets
}

fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut octets = vec![0xe0 | u8::try_from(fields.len()).expect("few fields")];
    for (name, value) in fields {
        octets.extend(text(name));
        octets.extend(value);
    }
    octets
}

fn asn_database(organisation: &str) -> Vec<u8> {
    let record = map(&[
        ("autonomous_system_number", vec![0xc2, 0x04, 0xc5]),
        ("autonomous_system_organization", text(organisation)),
    ]);
    database("GeoLite2-ASN", &record)
}

fn city_database(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    database("GeoLite2-City", &map(fields))
}

fn names(english: &str) -> Vec<u8> {
    map(&[("names", map(&[("de", text("?")), ("en", text(english))]))])
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    fn write(&self, name: &str, octets: &[u8]) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        File::create(&path).and_then(|mut file| file.write_all(octets)).expect("a file");
        path
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn city_of(fields: &[(&str, Vec<u8>)]) -> String {
    let files = Files::new();
    let path = files.write("city.mmdb", &city_database(fields));
    let mut geo = Geo::open(Some(&path), None).expect("a database");
    geo.locate(address("1.2.3.4")).city.expect("a database").to_owned()
}

#[test]
fn a_city_is_continent_country_subdivision_and_city() {
    let subdivisions =
        [&[0x02, 0x04][..], &map(&[("iso_code", text("WA"))]), &map(&[("iso_code", text("XX"))])].concat();
    let fields = [
        ("continent", map(&[("code", text("NA"))])),
        ("country", names("United States")),
        ("subdivisions", subdivisions),
        ("city", names("Milton")),
    ];
    assert_eq!(city_of(&fields), "NA/United States/WA/Milton");
    assert_eq!(city_of(&fields[..2]), "NA/United States");
    assert_eq!(city_of(&[fields[0].clone(), fields[3].clone()]), "NA/Milton");
}

#[test]
fn a_country_without_an_english_name_is_its_iso_code() {
    assert_eq!(city_of(&[("country", map(&[("iso_code", text("BT"))]))]), "BT");
}

#[test]
fn a_record_without_any_part_is_unknown() {
    assert_eq!(city_of(&[("location", map(&[]))]), "Unknown");
}

#[test]
fn an_autonomous_system_is_number_and_organisation() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database("Telstra Pty Ltd"));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    for _ in 0..2 {
        let location = geo.locate(address("1.2.3.4"));
        assert_eq!(location, Location { city: None, asn: Some("1221/Telstra Pty Ltd") });
    }
    assert_eq!(geo.locate(address("200.2.3.4")).asn, Some("Unknown"));
}

#[test]
fn ipv6_in_a_database_of_ipv4_is_unknown() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database("x"));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    assert_eq!(geo.locate(address("2001:db8::1")).asn, Some("Unknown"));
}

#[test]
fn long_texts_are_cut() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database(&"ö".repeat(126)));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    let asn = geo.locate(address("1.2.3.4")).asn.expect("a database");
    assert_eq!(asn, format!("1221/{}", "ö".repeat(125)));
}

#[test]
fn without_databases_there_are_no_places() {
    let mut geo = Geo::open(None, None).expect("nothing to open");
    assert!(geo.is_empty());
    assert_eq!(geo.locate(address("1.2.3.4")), Location { city: None, asn: None });
}

#[test]
fn a_database_that_cannot_be_used_is_one_clear_sentence() {
    let files = Files::new();
    let error = |path: &Path| Geo::open(Some(path), None).expect_err("no database").to_string();
    let missing = files.0.path().join("missing.mmdb");
    assert_eq!(
        error(&missing),
        format!("cannot read the geo database {}: No such file or directory (os error 2)", missing.display())
    );
    assert!(error(files.0.path()).ends_with("not a regular file"));
    let garbage = files.write("garbage.mmdb", b"not a database");
    assert!(
        error(&garbage).starts_with(&format!("{} is not a usable MaxMind database: ", garbage.display()))
    );
    let asn = files.write("asn.mmdb", &asn_database("x"));
    assert_eq!(
        error(&asn),
        format!("{} is a GeoLite2-ASN database where a city or country database is needed", asn.display())
    );
}

#[test]
fn databases_are_opened_again_at_once_on_request() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database("before"));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    let start = Instant::now();
    geo.refresh(start);
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/before"));
    files.write("asn.mmdb", &asn_database("after"));
    geo.refresh(start);
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/before"));
    geo.handle().ask_to_reopen();
    geo.refresh(start);
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/after"));
}

#[test]
fn a_changed_file_is_opened_again_at_most_once_a_second() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database("before"));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    let start = Instant::now();
    geo.refresh(start);
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/before"));
    // Overwritten in place, and replaced by another file.
    files.write("asn.mmdb", &asn_database("overwritten"));
    geo.refresh(start + Duration::from_millis(999));
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/before"));
    geo.refresh(start + Duration::from_secs(1));
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/overwritten"));
    let other = files.write("new.mmdb", &asn_database("replaced"));
    std::fs::rename(other, &path).expect("renamed");
    geo.refresh(start + Duration::from_secs(3));
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/replaced"));
}

#[test]
fn a_broken_or_missing_new_file_keeps_the_old_database() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database("before"));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    let start = Instant::now();
    let whole = asn_database("after");
    let replace = |octets: &[u8]| std::fs::rename(files.write("new.mmdb", octets), &path).expect("renamed");
    replace(&whole[..whole.len() - 20]);
    geo.refresh(start);
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/before"));
    std::fs::remove_file(&path).expect("removed");
    geo.refresh(start + Duration::from_secs(1));
    assert_eq!(geo.locate(address("1.2.3.5")).asn, Some("1221/before"));
    replace(&whole);
    geo.refresh(start + Duration::from_secs(2));
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/after"));
}

#[test]
fn a_file_overwritten_by_another_format_leaves_no_database_and_does_no_harm() {
    let files = Files::new();
    let path = files.write("asn.mmdb", &asn_database("before"));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    let start = Instant::now();
    // Emptied, as by the copy of another file that is about to be written.
    files.write("asn.mmdb", b"");
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("Unknown"));
    geo.refresh(start);
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("Unknown"));
    files.write("asn.mmdb", &asn_database("after"));
    geo.refresh(start + Duration::from_secs(1));
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/after"));
    files.write("asn.mmdb", b"what is no database");
    geo.refresh(start + Duration::from_secs(2));
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("Unknown"));
}

/// MaxMind's test databases, where they are at hand.
fn published(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo").join(name);
    if !path.is_file() {
        eprintln!("skipped: {name}, a test database of MaxMind, is not in ../shared/geo");
        return None;
    }
    Some(path)
}

#[test]
fn published_city_databases_are_understood() {
    let Some(path) = published("GeoLite2-City-Test.mmdb") else { return };
    let mut geo = Geo::open(Some(&path), None).expect("a database");
    let places = [
        ("216.160.83.56", "NA/United States/WA/Milton"),
        ("89.160.20.112", "EU/Sweden/E/Linköping"),
        ("::ffff:89.160.20.112", "EU/Sweden/E/Linköping"),
        ("2.125.160.216", "EU/United Kingdom/ENG/Boxford"),
        ("67.43.156.1", "AS/Bhutan"),
        ("2001:218::1", "AS/Japan"),
        ("127.0.0.1", "Unknown"),
    ];
    for (ip, place) in places {
        assert_eq!(geo.locate(address(ip)).city, Some(place), "{ip}");
    }
}

#[test]
fn published_asn_and_isp_databases_are_understood() {
    for name in ["GeoLite2-ASN-Test.mmdb", "GeoIP2-ISP-Test.mmdb"] {
        let Some(path) = published(name) else { return };
        let mut geo = Geo::open(None, Some(&path)).expect("a database");
        assert_eq!(geo.locate(address("1.128.0.0")).asn, Some("1221/Telstra Pty Ltd"), "{name}");
        assert_eq!(geo.locate(address("127.0.0.1")).asn, Some("Unknown"), "{name}");
    }
}

proptest! {
    #[test]
    fn a_damaged_database_does_no_harm(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        addresses in proptest::collection::vec(any::<IpAddr>(), 1..4),
    ) {
        let mut octets = city_database(&[("continent", map(&[("code", text("NA"))])), ("city", names("Milton"))]);
        for (at, octet) in changes {
            *at.get_mut(&mut octets) = octet;
        }
        // Half of them are also cut short.
        octets.truncate(cut.index(octets.len() * 2));
        let files = Files::new();
        let path = files.write("city.mmdb", &octets);
        if let Ok(mut geo) = Geo::open(Some(&path), None) {
            for address in addresses {
                prop_assert!(geo.locate(address).city.is_some());
            }
        }
    }
}
