use domain::base::message_builder::AdditionalBuilder;
use domain::base::opt::{ClientSubnet as DomainSubnet, Cookie};
use domain::base::{Message as DomainMessage, MessageBuilder, Name as DomainName, Rtype as DomainRtype};
use domain::rdata::{A, Aaaa, Ns};
use proptest::prelude::*;

use super::*;

fn domain_name(text: &str) -> DomainName<Vec<u8>> {
    text.parse().expect("a name")
}

fn parse(octets: &[u8]) -> Message<'_> {
    parse_as(octets, Captured::Whole).expect("at least a header")
}

/// Leaves the name where it is: a test is short.
fn parse_as(octets: &[u8], captured: Captured) -> Option<Message<'_>> {
    Message::parse(octets, captured, Box::leak(Box::default()))
}

/// A response with two answers, one authority record and one address beside it, before any EDNS.
fn response() -> AdditionalBuilder<domain::base::StaticCompressor<Vec<u8>>> {
    let target = domain::base::StaticCompressor::new(Vec::new());
    let mut builder = MessageBuilder::from_target(target).expect("room");
    builder.header_mut().set_id(0xbeef);
    builder.header_mut().set_qr(true);
    builder.header_mut().set_aa(true);
    builder.header_mut().set_rcode(domain::base::iana::Rcode::NXDOMAIN);
    let mut builder = builder.question();
    builder.push((domain_name("WwW.Example.COM"), DomainRtype::AAAA)).expect("room");
    let mut builder = builder.answer();
    for host in [1, 2] {
        builder.push((domain_name("www.example.com"), 60, A::from_octets(192, 0, 2, host))).expect("room");
    }
    let mut builder = builder.authority();
    builder.push((domain_name("example.com"), 60, Ns::new(domain_name("ns.example.net")))).expect("room");
    let mut builder = builder.additional();
    builder
        .push((domain_name("ns.example.net"), 60, Aaaa::new("2001:db8::1".parse().expect("an address"))))
        .expect("room");
    builder
}

fn response_octets() -> Vec<u8> {
    response().finish().into_target()
}

/// The response with EDNS: another option before the client subnet, and a further record behind the
/// OPT record.
fn edns_response_octets() -> Vec<u8> {
    let mut builder = response();
    builder
        .opt(|opt| {
            opt.set_udp_payload_size(1232);
            opt.set_dnssec_ok(true);
            opt.set_rcode(domain::base::iana::OptRcode::BADCOOKIE);
            opt.push(&Cookie::create_initial())?;
            opt.push(&DomainSubnet::new(24, 16, "198.51.100.0".parse().expect("an address")))
        })
        .expect("room");
    builder.push((domain_name("tail.example.net"), 60, A::from_octets(192, 0, 2, 3))).expect("room");
    builder.finish().into_target()
}

/// A query for `name`, QDCOUNT and sections as given, without EDNS.
fn raw(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, 0x01, 0x00];
    counts.iter().for_each(|count| octets.extend(count.to_be_bytes()));
    octets.extend(rest);
    octets
}

/// A query with an OPT record whose RDATA is `options`.
fn with_options(options: &[u8]) -> Vec<u8> {
    let mut rest = b"\x01a\0\x00\x01\x00\x01\0\x00\x29\x04\xd0\x00\x00\x00\x00".to_vec();
    rest.extend((options.len() as u16).to_be_bytes());
    rest.extend(options);
    raw([1, 0, 0, 1], &rest)
}

#[test]
fn fewer_than_12_octets_are_no_message() {
    assert!(parse_as(&[0; 11], Captured::Whole).is_none());
    assert!(parse_as(&[0; 12], Captured::Whole).is_some());
}

#[test]
fn header_and_question_are_read() {
    let octets = response_octets();
    let message = parse(&octets);
    assert_eq!((message.id(), message.is_response(), message.opcode()), (0xbeef, true, 0));
    assert!(message.header().aa() && !message.header().tc());
    assert_eq!((message.header_rcode(), message.rcode()), (3, 3));
    let question = message.question.expect("a question");
    assert_eq!(
        (question.name.to_string().as_str(), question.qtype, question.qclass),
        ("www.example.com", 28, 1)
    );
    assert_eq!(message.answer_records, 2);
    assert_eq!(message.edns, None);
    assert!(!message.malformed);
}

#[test]
fn edns_is_found_wherever_it_stands_in_the_additional_section() {
    let octets = edns_response_octets();
    let message = parse(&octets);
    let edns = message.edns.expect("an OPT record");
    assert_eq!((edns.udp_payload_bytes, edns.dnssec_ok, edns.version), (1232, true, 0));
    assert!(!message.malformed);
}

#[test]
fn edns_extends_the_response_code_to_12_bits() {
    let octets = edns_response_octets();
    let message = parse(&octets);
    // BADCOOKIE is 23: 1 in OPT, 7 in the header.
    assert_eq!((message.rcode(), message.header_rcode()), (23, 7));
}

#[test]
fn the_client_subnet_is_found_behind_other_options() {
    let octets = edns_response_octets();
    let subnet = parse(&octets).edns.and_then(|edns| edns.client_subnet).expect("a client subnet");
    assert_eq!((subnet.family, subnet.source_prefix_bits, subnet.scope_prefix_bits), (1, 24, 16));
    assert_eq!(subnet.ip_address(), "198.51.100.0".parse().ok());
}

#[test]
fn a_cookie_and_the_first_extended_error_are_found() {
    let octets = with_options(&[0, 15, 0, 2, 0, 22, 0, 10, 0, 1, 7, 0, 15, 0, 5, 0, 9, b'w', b'h', b'y']);
    let edns = parse(&octets).edns.expect("EDNS");
    assert_eq!((edns.has_cookie, edns.extended_error), (true, Some(22)));
    let octets = with_options(&[0, 15, 0, 1, 0]);
    let message = parse(&octets);
    assert_eq!((message.edns.expect("EDNS").extended_error, message.malformed), (None, false));
}

#[test]
fn the_first_authority_record_counts_if_there_is_no_answer() {
    // A root name, a type, class IN, no TTL and no data.
    let record = |rtype: u8| [0, 0, rtype, 0, 1, 0, 0, 0, 0, 0, 0];
    let referral = [record(2), record(6)].concat();
    assert_eq!(parse(&raw([0, 0, 2, 0], &referral)).authority_type, Some(2));
    assert_eq!(parse(&raw([0, 1, 1, 0], &referral)).authority_type, None);
    assert_eq!(parse(&raw([0, 0, 0, 0], &[])).authority_type, None);
    assert!(parse(&raw([0, 0, 3, 0], &referral)).malformed);
}

#[test]
fn client_subnets_of_ipv6_keep_prefixes_longer_than_64_bits() {
    let mut option = b"\x00\x08\x00\x0f\x00\x02\x55\x00".to_vec();
    option.extend(b"\x20\x01\x0d\xb8\x00\x01\x00\x02\x00\x03\xff");
    let octets = with_options(&option);
    let message = parse(&octets);
    let subnet = message.edns.and_then(|edns| edns.client_subnet).expect("a client subnet");
    assert_eq!(subnet.source_prefix_bits, 85);
    assert_eq!(subnet.ip_address(), "2001:db8:1:2:3:f800::".parse().ok());
    assert!(!message.malformed);
}

#[test]
fn client_subnets_of_no_address_and_of_other_families_are_subnets() {
    for option in [
        &b"\x00\x08\x00\x04\x00\x01\x00\x00"[..],
        b"\x00\x08\x00\x04\x00\x00\x00\x00",
        b"\x00\x08\x00\x05\x00\x03\x08\x00\x07",
    ] {
        let octets = with_options(option);
        let message = parse(&octets);
        let subnet = message.edns.and_then(|edns| edns.client_subnet).expect("a client subnet");
        assert_eq!(subnet.address, [0; 16]);
        assert!(!message.malformed);
    }
}

#[test]
fn impossible_client_subnets_are_malformed_and_edns_is_kept() {
    for option in [
        &b"\x00\x08\x00\x03\x00\x01\x00"[..],
        b"\x00\x08\x00\x06\x00\x01\x18\x00\x01\x02",
        b"\x00\x08\x00\x09\x00\x01\x21\x00\x01\x02\x03\x04\x05",
    ] {
        let octets = with_options(option);
        let message = parse(&octets);
        assert!(message.malformed, "{option:x?}");
        assert_eq!(message.edns.expect("an OPT record").client_subnet, None);
    }
}

#[test]
fn options_beyond_their_record_are_malformed() {
    for option in [&b"\x00\x0a\x00\x09\x01\x02\x03\x04\x05\x06\x07\x08"[..], b"\x00\x0a\x00", b"\x00"] {
        let octets = with_options(option);
        let message = parse(&octets);
        assert!(message.malformed && message.edns.is_some(), "{option:x?}");
    }
}

#[test]
fn a_message_without_a_question_is_no_fault() {
    let octets = raw([0; 4], &[]);
    let message = parse(&octets);
    assert_eq!((message.question, message.malformed), (None, false));
}

#[test]
fn octets_behind_the_last_record_are_no_fault() {
    let mut octets = response_octets();
    octets.extend([0xff; 7]);
    assert!(!parse(&octets).malformed);
}

#[test]
fn counts_that_promise_more_than_there_is_are_malformed() {
    for section in 4..12 {
        let mut octets = response_octets();
        octets[section] = octets[section].wrapping_add(1);
        let message = parse(&octets);
        assert!(message.malformed, "octet {section}");
        assert!(message.question.is_some(), "octet {section}");
    }
}

#[test]
fn a_fault_behind_the_question_leaves_the_question() {
    let octets = raw([1, 1, 0, 0], b"\x01a\0\x00\x0f\x00\x01\xc0\x40");
    let message = parse(&octets);
    assert!(message.malformed);
    assert_eq!(
        message.question.map(|question| (question.name.to_string(), question.qtype)),
        Some(("a".into(), 15))
    );
    assert_eq!(message.answer_records, 0);
}

#[test]
fn a_bad_question_name_is_malformed() {
    for name in
        [&b"\x41a\0\0\x01\0\x01"[..], b"\xc0\x0c\0\x01\0\x01", b"\xff\xff\0\x01\0\x01", b"\x01a\0\0\x01\0"]
    {
        let octets = raw([1, 0, 0, 0], name);
        let message = parse(&octets);
        assert!(message.malformed && message.question.is_none(), "{name:x?}");
    }
}

#[test]
fn a_snapped_message_is_not_malformed_for_ending_early() {
    let octets = edns_response_octets();
    for len in HEADER_BYTES..octets.len() {
        let snapped = parse_as(&octets[..len], Captured::Part).expect("a header");
        assert!(!snapped.malformed, "{len} octets");
        assert_eq!(snapped.answer_records, 2, "{len} octets");
        assert_eq!(snapped.question.is_some(), len >= 33, "{len} octets");
        let whole = parse_as(&octets[..len], Captured::Whole).expect("a header");
        assert!(whole.malformed, "{len} octets");
    }
}

#[test]
fn a_snapped_message_with_a_bad_name_is_malformed() {
    let octets = raw([1, 0, 0, 0], b"\x80");
    assert!(parse_as(&octets, Captured::Part).expect("a header").malformed);
}

#[test]
fn a_snapped_opt_record_still_says_its_payload_size() {
    let octets = with_options(b"\x00\x0a\x00\x08\x01\x02\x03\x04\x05\x06\x07\x08");
    let message = parse_as(&octets[..octets.len() - 3], Captured::Part).expect("a header");
    assert_eq!(message.edns.map(|edns| edns.udp_payload_bytes), Some(1232));
    assert!(!message.malformed);
}

#[test]
fn names_of_further_questions_are_at_hand() {
    let octets = raw([3, 0, 0, 0], b"\x01a\x02NL\0\0\x01\0\x01\x01b\xc0\x0e\0\x01\0\x01\xc0\x0e\0\x01\0\x01");
    let message = parse(&octets);
    assert!(!message.malformed);
    let names: Vec<_> = message.further_question_names().map(|name| name.to_string()).collect();
    assert_eq!(names, ["b.nl", "nl"]);
}

#[test]
fn further_questions_before_a_fault_are_kept() {
    let octets = raw([4, 0, 0, 0], b"\x01a\0\0\x01\0\x01\x01b\0\0\x01\0\x01\x80");
    let message = parse(&octets);
    assert!(message.malformed);
    assert_eq!(message.further_question_names().count(), 1);
}

/// Whether `domain` finds all questions and records of a message.
fn domain_reads(octets: &[u8]) -> bool {
    let Ok(message) = DomainMessage::from_octets(octets) else { return false };
    message.question().all(|question| question.is_ok())
        && message.iter().all(|record| record.is_ok())
        // Its iterator ends quietly where a section cannot be skipped.
        && message.sections().is_ok_and(|(_, _, _, additional)| additional.into_iter().all(|record| record.is_ok()))
}

proptest! {
    #[test]
    fn random_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 12..400), snapped: bool) {
        let message = parse_as(&octets, if snapped { Captured::Part } else { Captured::Whole }).expect("a header");
        prop_assert!(message.further_question_names().count() < usize::from(u16::MAX));
    }

    #[test]
    fn a_mutated_message_is_malformed_where_domain_says_so(
        changes in proptest::collection::vec((0_usize..200, any::<u8>()), 0..4),
        cut in 0_usize..300,
    ) {
        let mut octets = edns_response_octets();
        for (at, octet) in changes {
            if let Some(target) = octets.get_mut(at) {
                *target = octet;
            }
        }
        octets.truncate(cut.max(HEADER_BYTES));
        let message = parse(&octets);
        let readable = domain_reads(&octets);
        // Options are looked into here only.
        prop_assert!(!message.malformed || !readable || message.edns.is_some());
        prop_assert!(message.malformed || readable);
        if let (Some(ours), Some(theirs)) = (message.question, DomainMessage::from_octets(&octets[..]).expect("a header").first_question()) {
            let mut lower = Vec::new();
            theirs.qname().iter().for_each(|label| { label.compose(&mut lower).expect("room"); });
            lower.make_ascii_lowercase();
            prop_assert_eq!(ours.name.as_wire(), lower);
            prop_assert_eq!((ours.qtype, ours.qclass), (theirs.qtype().to_int(), theirs.qclass().to_int()));
        }
    }
}

#[test]
fn the_head_has_the_question_before_the_rest_is_parsed() {
    let octets = response_octets();
    for len in 0..=octets.len() {
        let (mut name, mut again) = (Name::default(), Name::default());
        let mut head = MessageHead::new(&octets[..len]);
        let is_parsed = head.parse(&mut name).is_some();
        let Some(whole) = Message::parse(&octets[..len], Captured::Part, &mut again) else {
            assert!(!is_parsed && len < HEADER_BYTES);
            continue;
        };
        assert!(is_parsed);
        assert_eq!((head.header(), head.question()), (whole.header(), whole.question.as_ref()));
        let question_end = HEADER_BYTES + "\u{3}www\u{7}example\u{3}com\0".len() + 4;
        assert_eq!(head.question().is_some(), len >= question_end);
        let message = head.parse_rest(Captured::Part);
        assert_eq!((message.malformed, message.answer_records), (whole.malformed, whole.answer_records));
    }
}
