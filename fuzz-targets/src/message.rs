//! A DNS message: its question against the name alone, against `domain`, and against the same message
//! cut anywhere.

use domain::base::Message as DomainMessage;
use pktvisor_analysis::message::{HEADER_BYTES, Message, MessageHead};
use pktvisor_analysis::name::Name;
use pktvisor_common::classify::Captured;

/// Two bytes with the place of a cut, and the message.
pub fn run(data: &[u8]) {
    let Some((&cut, octets)) = data.split_first_chunk() else { return };
    let mut name = Name::default();
    let Some(message) = Message::parse(octets, Captured::Whole, &mut name) else {
        assert!(octets.len() < HEADER_BYTES);
        return;
    };
    assert_eq!(message.len_bytes(), octets.len());
    assert!(message.answer_records <= message.counts().ancount());
    assert!(message.rcode() & 0xf == u16::from(message.header_rcode()));
    let further = message.further_question_names().count();
    assert!(further <= usize::from(message.counts().qdcount().saturating_sub(1)));
    check_question(octets, &message);
    check_head(octets, &message);
    if !message.malformed {
        let cut = HEADER_BYTES + usize::from(u16::from_be_bytes(cut)) % (octets.len() - HEADER_BYTES + 1);
        check_part(&octets[..cut], &message);
    }
}

fn check_question(octets: &[u8], message: &Message<'_>) {
    let Some(question) = &message.question else {
        assert!(message.counts().qdcount() == 0 || message.malformed);
        return;
    };
    let mut name = Name::default();
    let end = name.read(octets, HEADER_BYTES).expect("the name of a question can be read");
    assert_eq!(&name, question.name);
    assert_eq!(name.hash(), question.name_hash);
    assert_eq!(octets[end..end + 4], [question.qtype.to_be_bytes(), question.qclass.to_be_bytes()].concat());
    // `domain` refuses some names that we read, but never reads another one.
    let theirs = DomainMessage::from_octets(octets).expect("there is a header");
    if let Some(Ok(theirs)) = theirs.question().next() {
        let same = (theirs.qtype().to_int(), theirs.qclass().to_int()) == (question.qtype, question.qclass);
        assert!(same && theirs.qname().iter().count() == name.label_count() + 1);
    }
}

/// The head alone finds the same.
fn check_head(octets: &[u8], message: &Message<'_>) {
    let mut name = Name::default();
    let mut head = MessageHead::new(octets);
    head.parse(&mut name).expect("there is a header");
    assert_eq!(head.question().map(|question| question.name), message.question.map(|question| question.name));
    let whole = head.parse_rest(Captured::Whole);
    assert_eq!((whole.malformed, whole.edns), (message.malformed, message.edns));
}

/// The beginning of a message that is well-formed.
fn check_part(octets: &[u8], whole: &Message<'_>) {
    let mut name = Name::default();
    let part = Message::parse(octets, Captured::Part, &mut name).expect("there is a header");
    assert!(!part.malformed, "a part of a message is not malformed");
    assert_eq!((part.id(), part.rcode() & 0xf), (whole.id(), whole.rcode() & 0xf));
    if let (Some(part), Some(whole)) = (&part.question, &whole.question) {
        assert_eq!((part.name, part.qtype, part.qclass), (whole.name, whole.qtype, whole.qclass));
    }
}
