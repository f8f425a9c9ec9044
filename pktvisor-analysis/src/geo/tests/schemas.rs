//! Databases of other makers: what is read of them, and what is refused.

use std::path::PathBuf;

use super::*;

/// A field named `name`, with the octets of its value.
type Field<'a> = (&'a str, Vec<u8>);

fn unsigned(kind: u8, octets: &[u8]) -> Vec<u8> {
    let len = u8::try_from(octets.len()).expect("few octets");
    // Types above 7 have a second octet (https://maxmind.github.io/MaxMind-DB/#data-field-format).
    let head = if kind > 7 { vec![len, kind - 7] } else { vec![kind << 5 | len] };
    [&head, octets].concat()
}

fn double(value: f64) -> Vec<u8> {
    [&[0x68], &value.to_be_bytes()[..]].concat()
}

/// The places of 1.2.3.4 in a database of this name whose only record holds these fields, and the
/// notes on it.
fn located(database_type: &str, fields: &[Field<'_>], kinds: [bool; 2]) -> (Vec<String>, Vec<String>) {
    let files = Files::new();
    let path = files.write("x.mmdb", &database(database_type, &map(fields)));
    let [city, asn] = kinds.map(|is_given| is_given.then_some(path.as_path()));
    let mut geo = Geo::open(city, asn).unwrap_or_else(|error| panic!("{error}"));
    let Location { city, asn } = geo.locate(address("1.2.3.4"));
    let texts = [city, asn].into_iter().flatten().map(str::to_owned).collect();
    (texts, geo.handle().notes())
}

fn asn_of(fields: &[Field<'_>]) -> (String, usize) {
    let (texts, notes) = located("GeoLite2-ASN", fields, [false, true]);
    (texts.concat(), notes.len())
}

fn flat_city_of(fields: &[Field<'_>]) -> String {
    let (texts, notes) = located("a flat one", fields, [true, false]);
    assert_eq!(notes.len(), 0, "{notes:?}");
    texts.concat()
}

/// Why such a database is refused, without its path.
fn refused(database_type: &str, fields: &[Field<'_>], kind: DatabaseKind) -> String {
    let files = Files::new();
    let path = files.write("x.mmdb", &database(database_type, &map(fields)));
    let refused = match kind {
        DatabaseKind::City => Geo::open(Some(&path), None),
        DatabaseKind::Asn => Geo::open(None, Some(&path)),
    };
    let message = refused.expect_err("another schema").to_string();
    message.strip_prefix(&format!("{} ", path.display())).expect("the path first").to_owned()
}

/// A database from `captures/faults`.
fn fault(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/faults").join(name)
}

#[test]
fn an_asn_is_a_number_of_any_type() {
    let numbers = [
        ("uint16", unsigned(5, &[0xfb, 0xf4])),
        ("uint32", unsigned(6, &[0xfb, 0xf4])),
        ("int32", unsigned(8, &[0, 0, 0xfb, 0xf4])),
        ("uint64", unsigned(9, &[0xfb, 0xf4])),
        ("uint128", unsigned(10, &[0; 14].into_iter().chain([0xfb, 0xf4]).collect::<Vec<_>>())),
        ("double", double(64500.0)),
        ("float", [&[0x04, 0x08], &64500_f32.to_be_bytes()[..]].concat()),
        ("string", text("64500")),
        ("string", text("AS64500")),
        ("string", text("as64500 ")),
    ];
    for (kind, number) in numbers {
        let fields =
            [("autonomous_system_number", number), ("autonomous_system_organization", text("Example Net"))];
        assert_eq!(asn_of(&fields), ("64500/Example Net".to_owned(), 0), "{kind}");
    }
    let largest = [("autonomous_system_number", unsigned(9, &[0xff; 4]))];
    assert_eq!(asn_of(&largest), ("4294967295".to_owned(), 0));
}

#[test]
fn a_bad_asn_is_noted_and_leaves_the_organisation() {
    let numbers = [
        unsigned(8, &[0xff; 4]),
        unsigned(9, &[1, 0, 0, 0, 0]),
        unsigned(10, &[0xff; 16]),
        double(0.5),
        double(-1.0),
        double(f64::NAN),
        double(f64::INFINITY),
        text("AS"),
        text("AS4294967296"),
        text("AS-1"),
        text("+1"),
        text("none"),
        // true
        vec![0x01, 0x07],
    ];
    for number in numbers {
        let fields = [
            ("autonomous_system_number", number.clone()),
            ("autonomous_system_organization", text("Example Net")),
        ];
        assert_eq!(asn_of(&fields), ("Example Net".to_owned(), 1), "{number:02x?}");
        assert_eq!(asn_of(&fields[..1]), ("Undecodable".to_owned(), 1), "{number:02x?}");
    }
    assert_eq!(asn_of(&[("autonomous_system_number", text(""))]), ("Unknown".to_owned(), 0));
}

#[test]
fn a_number_of_16_bits_in_a_real_database_is_read() {
    let mut geo = Geo::open(None, Some(&fault("asn-u16.mmdb"))).expect("a database");
    assert_eq!(geo.locate(address("198.51.100.7")).asn, Some("64500/Example Net"));
}

#[test]
fn a_flat_database_answers_for_both_kinds() {
    let path = fault("ipinfo-lite.mmdb");
    let mut geo = Geo::open(Some(&path), Some(&path)).expect("a database");
    let location = geo.locate(address("198.51.100.7"));
    assert_eq!(location, Location { city: Some("EU/France"), asn: Some("64500/Example Net") });
    assert_eq!(geo.locate(address("192.0.2.1")).city, Some("Unknown"));
    assert!(geo.handle().notes().is_empty());
}

#[test]
fn flat_places_are_read() {
    let codes = [("country", text("US")), ("continent", text("NA"))];
    assert_eq!(flat_city_of(&codes), "NA/US");
    assert_eq!(flat_city_of(&[codes[0].clone(), ("country_name", text("United States"))]), "United States");
    assert_eq!(flat_city_of(&[("country_code", text("US"))]), "US");
    let city = [("city", text("Milton")), ("region", text("Washington")), ("country", text("US"))];
    assert_eq!(flat_city_of(&city), "US/Washington/Milton");
    let coded = [&city[..], &[("region_code", text("WA"))]].concat();
    assert_eq!(flat_city_of(&coded), "US/WA/Milton");
    assert_eq!(flat_city_of(&[("geo", map(&coded))]), "US/WA/Milton");
}

#[test]
fn networks_in_other_schemas_are_read() {
    let read = |fields: &[Field<'_>]| {
        let (texts, notes) = located("another one", fields, [false, true]);
        assert_eq!(notes.len(), 0, "{notes:?}");
        texts.concat()
    };
    let flat = [("asn", text("AS64500")), ("as_name", text("Example Net"))];
    assert_eq!(read(&flat), "64500/Example Net");
    assert_eq!(read(&[("asn", unsigned(6, &[0xfb, 0xf4])), ("name", text("Example"))]), "64500/Example");
    assert_eq!(read(&[("asn", text("AS64500 Example Net"))]), "64500/Example Net");
    let nested = [("asn", text("AS64500")), ("name", text("Example Net"))];
    assert_eq!(read(&[("as", map(&nested))]), "64500/Example Net");
    let enterprise = map(&[
        ("autonomous_system_number", unsigned(6, &[0xfb, 0xf4])),
        ("autonomous_system_organization", text("Example Net")),
    ]);
    assert_eq!(read(&[("traits", enterprise)]), "64500/Example Net");
}

#[test]
fn a_part_of_a_wrong_type_is_noted_and_the_others_are_read() {
    let fields = [("country", text("US")), ("continent", unsigned(5, &[2])), ("city", vec![0x01, 0x07])];
    let (texts, notes) = located("x", &fields, [true, false]);
    assert_eq!(texts, ["US"]);
    assert!(notes[0].starts_with("1 record of the geo database "), "{notes:?}");
    assert!(notes[0].ends_with("(the first: the value of continent cannot be understood)"), "{notes:?}");
}

#[test]
fn a_schema_that_is_not_read_is_refused_with_one_sentence() {
    let fields = [("is_tor", vec![0x01, 0x07]), ("net", text("x"))];
    assert_eq!(
        refused("GeoIP2-Anonymous-IP", &fields, DatabaseKind::City),
        "(GeoIP2-Anonymous-IP) is not a city or country database that can be read: its records hold is_tor, net"
    );
    assert!(refused("x\ny", &fields, DatabaseKind::Asn).starts_with("(xy) is not an ASN or ISP database"));
    let many: Vec<String> = (0..12).map(|n| format!("{n:02}{}", "\u{1b}".repeat(20))).collect();
    let many: Vec<Field<'_>> = many.iter().map(|name| (name.as_str(), text("x"))).collect();
    assert!(refused("x", &many, DatabaseKind::Asn).ends_with("hold 00, 01, 02, 03, 04, 05, 06, 07"));
}

#[test]
fn a_database_of_the_other_kind_is_refused_whatever_its_name() {
    let network = [("asn", text("AS64500")), ("country", text("US"))];
    let place = [("city", text("Milton"))];
    for name in ["ipinfo standard_asn.mmdb", "DBIP-ASN-Lite (compat=GeoLite2-ASN)"] {
        assert!(
            refused(name, &network, DatabaseKind::City).contains("database where a city or country"),
            "{name}"
        );
    }
    assert!(refused("mine", &network[..1], DatabaseKind::City).contains("database where a city or country"));
    for name in ["ipinfo standard_location.mmdb", "GeoIP2-Enterprise", "mine"] {
        assert!(refused(name, &place, DatabaseKind::Asn).contains("database where an ASN or ISP"), "{name}");
    }
}

#[test]
fn records_that_cannot_be_decoded_are_counted_and_not_unknown() {
    // A text of 5 octets that are no UTF-8, a pointer to nowhere, a type that does not exist, and
    // no map.
    let organisation = |octets: Vec<u8>| map(&[("autonomous_system_organization", octets)]);
    let records = [
        organisation([&[0x45], &[0xff; 5][..]].concat()),
        organisation(vec![0x2f, 0xff]),
        organisation(vec![0x01, 0xf0]),
        text("a text"),
    ];
    for record in records {
        let files = Files::new();
        let path = files.write("x.mmdb", &database("GeoLite2-ASN", &record));
        let mut geo = Geo::open(None, Some(&path)).expect("a database");
        for _ in 0..2 {
            assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("Undecodable"), "{record:02x?}");
        }
        let notes = geo.handle().notes();
        assert!(notes.len() == 1 && notes[0].starts_with("1 record of the geo database"), "{notes:?}");
        assert_eq!(geo.locate(address("200.2.3.4")).asn, Some("Unknown"));
        // Under another name nothing says what it holds.
        let path = files.write("y.mmdb", &database("y", &record));
        let message = Geo::open(None, Some(&path)).expect_err("damaged").to_string();
        assert!(message.contains("(y) cannot be read as an ASN or ISP database: "), "{message}");
    }
}

#[test]
fn a_good_file_in_place_of_a_damaged_one_takes_back_the_note() {
    let files = Files::new();
    let path = files.write("x.mmdb", &database("GeoLite2-ASN", &text("a text")));
    let mut geo = Geo::open(None, Some(&path)).expect("a database");
    geo.locate(address("1.2.3.4"));
    assert_eq!(geo.handle().notes().len(), 1);
    files.write("x.mmdb", &asn_database("after"));
    geo.refresh(Instant::now());
    assert_eq!(geo.locate(address("1.2.3.4")).asn, Some("1221/after"));
    assert_eq!(geo.handle().notes().len(), 0);
}

#[test]
fn a_tree_without_an_end_is_refused_soon() {
    // Both sides of the only node lead back to it.
    let mut octets = database("GeoLite2-ASN", &map(&[]));
    octets[..6].fill(0);
    let files = Files::new();
    let path = files.write("x.mmdb", &octets);
    let error = Geo::open(None, Some(&path)).expect_err("no record is found");
    assert!(matches!(error, GeoError::Undecodable { .. }), "{error}");
}

#[test]
fn a_record_nested_without_end_does_no_harm() {
    let mut record = text("end");
    for name in ["geo", "traits", "as", "asn"].iter().cycle().take(400) {
        record = map(&[(name, record)]);
    }
    let files = Files::new();
    let path = files.write("x.mmdb", &database("GeoLite2-ASN", &record));
    let mut geo = Geo::open(None, Some(&path)).expect("the name fits");
    let text = geo.locate(address("1.2.3.4")).asn.expect("a database").to_owned();
    assert!(["Unknown", "Undecodable"].contains(&text.as_str()), "{text}");
}

#[test]
fn a_database_of_tests_is_refused() {
    let Some(path) = published("MaxMind-DB-test-decoder.mmdb") else { return };
    for (city, asn) in [(Some(path.as_path()), None), (None, Some(path.as_path()))] {
        let error = Geo::open(city, asn).expect_err("no such fields");
        assert!(matches!(error, GeoError::Foreign { .. }), "{error}");
    }
}

#[test]
fn published_databases_of_the_other_kind_are_refused() {
    for name in ["GeoIP2-City-Test.mmdb", "GeoLite2-City-Test.mmdb"] {
        let Some(path) = published(name) else { return };
        assert!(matches!(Geo::open(None, Some(&path)), Err(GeoError::WrongKind { .. })), "{name}");
    }
    for name in ["GeoLite2-ASN-Test.mmdb", "GeoIP2-ISP-Test.mmdb"] {
        let Some(path) = published(name) else { return };
        assert!(matches!(Geo::open(Some(&path), None), Err(GeoError::WrongKind { .. })), "{name}");
    }
}

proptest! {
    #[test]
    fn a_damaged_flat_database_does_no_harm(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        addresses in proptest::collection::vec(any::<IpAddr>(), 1..4),
    ) {
        let mut octets = std::fs::read(fault("ipinfo-lite.mmdb")).expect("a database");
        for (at, octet) in changes {
            *at.get_mut(&mut octets) = octet;
        }
        let files = Files::new();
        let path = files.write("x.mmdb", &octets);
        if let Ok(mut geo) = Geo::open(Some(&path), Some(&path)) {
            for address in addresses {
                prop_assert!(geo.locate(address).city.is_some());
            }
        }
    }
}
