use proptest::prelude::*;

use super::*;

fn read(message: &[u8], offset: usize) -> Result<(Name, usize), NameError> {
    let mut name = Name::default();
    let end = name.read(message, offset)?;
    Ok((name, end))
}

/// The wire form of dotted text without escapes.
fn wire(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).expect("a short label"));
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}

fn name(text: &str) -> Name {
    read(&wire(text), 0).expect("a good name").0
}

#[test]
fn a_name_is_lower_cased_in_ascii_only() {
    let (name, end) = read(b"\x05\xc3\x84-Az\x03CoM\0", 0).expect("a good name");
    assert_eq!(name.as_wire(), b"\x05\xc3\x84-az\x03com\0");
    assert_eq!(end, 11);
    assert_eq!(name.label_count(), 2);
}

#[test]
fn the_root_has_no_labels_and_is_a_dot() {
    let (root, end) = read(&[0], 0).expect("the root");
    assert_eq!((root.label_count(), end, root.to_string().as_str()), (0, 1, "."));
    assert_eq!(root, Name::default());
}

#[test]
fn a_pointer_leads_to_the_rest_of_a_name() {
    let message = b"\x07example\x03com\0\x03www\xc0\x00tail";
    let (name, end) = read(message, 13).expect("a compressed name");
    assert_eq!(name.to_string(), "www.example.com");
    assert_eq!(end, 19);
    let mut skipper = NameSkipper::default();
    assert_eq!(skipper.skip(message, 13), Ok(19));
}

#[test]
fn pointers_that_do_not_lead_backwards_are_malformed() {
    // To itself, forwards, into its own labels, and two that point at each other.
    for (message, offset) in
        [(&b"\xc0\x00"[..], 0), (b"\xc0\x02\x00", 0), (b"\x01a\xc0\x00", 0), (b"\xc0\x02\xc0\x00", 2)]
    {
        assert_eq!(read(message, offset).map(|_| ()), Err(NameError::Malformed), "{message:x?}");
        assert_eq!(NameSkipper::default().skip(message, offset), Err(NameError::Malformed), "{message:x?}");
    }
}

#[test]
fn reserved_label_types_are_malformed() {
    for octet in [0x40, 0x41, 0x80, 0xbf] {
        assert_eq!(read(&[octet, 0, 0], 0).map(|_| ()), Err(NameError::Malformed));
    }
}

#[test]
fn a_name_that_is_not_all_there_ends_early() {
    for message in [&b""[..], b"\x03ww", b"\x03www", b"\x03www\xc0"] {
        assert_eq!(read(message, 0).map(|_| ()), Err(NameError::EndsEarly), "{message:x?}");
        assert_eq!(NameSkipper::default().skip(message, 0), Err(NameError::EndsEarly), "{message:x?}");
    }
}

#[test]
fn a_name_has_at_most_255_octets() {
    let longest = wire(&["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join("."));
    assert_eq!(longest.len(), 255);
    assert_eq!(read(&longest, 0).expect("255 octets").0.as_wire(), longest);
    assert_eq!(NameSkipper::default().skip(&longest, 0), Ok(255));
    let longer = wire(&["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(62)].join("."));
    assert_eq!(read(&longer, 0).map(|_| ()), Err(NameError::Malformed));
    assert_eq!(NameSkipper::default().skip(&longer, 0), Err(NameError::Malformed));
}

#[test]
fn compression_does_not_make_names_longer_than_255_octets() {
    let mut message = wire(&["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(59)].join("."));
    assert_eq!(message.len(), 253);
    let one_more = message.len();
    message.extend(b"\x01x\xc0\x00");
    let two_more = message.len();
    message.extend(b"\x02xy\xc0\x00");
    assert_eq!(read(&message, one_more).expect("255 octets").0.as_wire().len(), 255);
    assert_eq!(NameSkipper::default().skip(&message, one_more), Ok(two_more));
    assert_eq!(read(&message, two_more).map(|_| ()), Err(NameError::Malformed));
    assert_eq!(NameSkipper::default().skip(&message, two_more), Err(NameError::Malformed));
}

#[test]
fn a_long_chain_of_pointers_is_given_up() {
    let mut message = vec![0, 0];
    for target in (0..2_000_u16).map(|n| 0xc000 | (n * 2)) {
        message.extend(target.to_be_bytes());
    }
    assert_eq!(read(&message, message.len() - 2).map(|_| ()), Err(NameError::Malformed));
    assert_eq!(NameSkipper::default().skip(&message, message.len() - 2), Err(NameError::Malformed));
    assert_eq!(read(&message, 100).expect("a short chain").0, Name::default());
}

#[test]
fn names_are_listed_by_their_last_labels() {
    let long = name("a.b.example.com");
    assert_eq!(long.suffix(2).to_string(), ".example.com");
    assert_eq!(long.suffix(3).to_string(), ".b.example.com");
    let three = name("b.example.com");
    assert_eq!(
        (three.suffix(2).to_string(), three.suffix(3).to_string()),
        (".example.com".into(), "b.example.com".into())
    );
    assert_eq!(name("example.com").suffix(2), Suffix { cut: false, wire: b"\x07example\x03com\0" });
    assert_eq!(name("com").suffix(2).to_string(), "com");
    assert_eq!(Name::default().suffix(2).to_string(), ".");
}

#[test]
fn odd_octets_are_escaped_as_in_master_files() {
    let (name, _) = read(b"\x09a.b\\ \x00\x7f\xff~\x02de\0", 0).expect("a good name");
    assert_eq!(name.to_string(), "a\\.b\\\\\\032\\000\\127\\255~.de");
}

#[test]
fn characters_with_a_meaning_in_zone_files_are_escaped() {
    let (name, _) = read(b"\x0aa b;c(d)@$\x0a\"'*/_-`#%\\\x03com\0", 0).expect("a good name");
    assert_eq!(name.to_string(), r#"a\032b\;c\(d\)\@\$.\"'*/_-`#%\\.com"#);
    assert_eq!(name.suffix(2).to_string(), r#".\"'*/_-`#%\\.com"#);
    for octet in 0..=u8::MAX {
        let escaped = presentation(&[1, octet, 0]).to_string().starts_with('\\');
        let special = br#""$().;@\"#.contains(&octet) || !(0x21..=0x7e).contains(&octet);
        assert_eq!(escaped, special, "{octet:#x}");
    }
}

#[test]
fn presentation_accepts_bytes_that_are_no_name() {
    for slice in [&b""[..], b"\x05ab", b"\xff", b"\x01"] {
        assert_eq!(presentation(slice).to_string(), ".");
    }
}

/// Labels whose wire form has at most 255 octets.
fn labels() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..=63), 0..8).prop_map(|mut labels| {
        while labels.iter().map(|label| label.len() + 1).sum::<usize>() > 254 {
            labels.pop();
        }
        labels
    })
}

proptest! {
    #[test]
    fn names_survive_compression(labels in labels(), cut in 0_usize..8, padding in 0_usize..20) {
        let cut = cut.min(labels.len());
        let mut message = vec![0xee; padding];
        for label in &labels[cut..] {
            message.push(label.len() as u8);
            message.extend(label);
        }
        message.push(0);
        let start = message.len();
        for label in &labels[..cut] {
            message.push(label.len() as u8);
            message.extend(label);
        }
        message.extend([0xc0, padding as u8]);
        let (name, end) = read(&message, start).expect("a good name");
        prop_assert_eq!(end, message.len());
        prop_assert_eq!(name.label_count(), labels.len());
        let lower: Vec<_> = labels.iter().map(|label| label.to_ascii_lowercase()).collect();
        prop_assert!(name.labels().eq(lower.iter().map(Vec::as_slice)));
        prop_assert_eq!(NameSkipper::default().skip(&message, start), Ok(end));
        // What is presented is printable and unambiguous.
        let text = name.to_string();
        prop_assert!(text.bytes().all(|b| (0x21..=0x7e).contains(&b)));
        let parsed: domain::base::Name<Vec<u8>> = text.parse().expect("RFC 1035 text");
        prop_assert_eq!(parsed.as_slice(), name.as_wire());
    }

    #[test]
    fn reading_and_skipping_agree_on_any_octets(message in proptest::collection::vec(0_u8..=255, 0..80), offset in 0_usize..80) {
        let read = read(&message, offset).map(|(_, end)| end);
        prop_assert_eq!(NameSkipper::default().skip(&message, offset), read);
    }

    #[test]
    fn reading_and_skipping_agree_where_labels_are_short(
        message in proptest::collection::vec(prop_oneof![0_u8..4, 0xc0_u8..0xc1], 0..80), offset in 0_usize..80) {
        let read = read(&message, offset).map(|(_, end)| end);
        prop_assert_eq!(NameSkipper::default().skip(&message, offset), read);
    }
}
