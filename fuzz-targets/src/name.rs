//! A domain name in a message, against a plain reading of RFC 1035 section 4.1.4.

use pktvisor_analysis::name::{NAME_BYTES_MAX, Name};

/// Most pointers that a name may have.
const POINTERS_MAX: usize = 127;

/// Two bytes with the offset of the name, and the message.
pub fn run(data: &[u8]) {
    let Some((&offset, message)) = data.split_first_chunk() else { return };
    let offset = usize::from(u16::from_be_bytes(offset)) % (message.len() + 1);
    let mut name = Name::default();
    let read = name.read(message, offset).ok();
    let expected = plain_reading(message, offset);
    assert_eq!(read, expected.as_ref().map(|(end, _)| *end), "where the name ends");
    let wire = expected.map_or_else(|| vec![0], |(_, wire)| wire);
    assert_eq!(name.as_wire(), wire);
    check_parts(&name);
}

/// The end of the name and its lower-cased wire form.
fn plain_reading(message: &[u8], offset: usize) -> Option<(usize, Vec<u8>)> {
    let (mut at, mut run_start) = (offset, offset);
    let (mut end, mut pointers) = (None, 0);
    let mut wire = Vec::new();
    loop {
        match *message.get(at)? {
            0 => break,
            len @ 1..=63 => {
                let next = at + 1 + usize::from(len);
                wire.push(len);
                wire.extend(message.get(at + 1..next)?.iter().map(u8::to_ascii_lowercase));
                at = next;
            }
            high @ 0xc0.. => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                end.get_or_insert(at + 2);
                pointers += 1;
                if target >= run_start || pointers > POINTERS_MAX {
                    return None;
                }
                (at, run_start) = (target, target);
            }
            _ => return None,
        }
    }
    wire.push(0);
    (wire.len() <= NAME_BYTES_MAX).then_some((end.unwrap_or(at + 1), wire))
}

fn check_parts(name: &Name) {
    let wire = name.as_wire();
    let mut starts = Vec::with_capacity(NAME_BYTES_MAX / 2 + 1);
    let mut at = 0;
    for label in name.labels() {
        starts.push(at);
        let next = at + 1 + label.len();
        assert!(usize::from(wire[at]) == label.len() && wire[at + 1..next] == *label);
        at = next;
    }
    assert_eq!((wire.get(at..), starts.len()), (Some(&[0][..]), name.label_count()));
    starts.push(at);
    let count = name.label_count();
    for kept in 0..=count.min(5) {
        let suffix = name.suffix(kept);
        let expected = (&wire[starts[count - kept]..], kept < count);
        assert_eq!((suffix.wire, suffix.cut), expected, "{kept} labels of {name}");
    }
    let mut octets = Vec::with_capacity(NAME_BYTES_MAX);
    wire_of(&name.to_string(), &mut octets);
    assert_eq!(name.as_wire(), octets, "the text means the same name");
}

/// Appends the wire form of a name in presentation form.
fn wire_of(text: &str, wire: &mut Vec<u8>) {
    assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{text:?}");
    let mut len_at = wire.len();
    wire.push(0);
    if text == "." {
        return;
    }
    let mut rest = text.as_bytes();
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        let octet = match (octet, rest) {
            (b'.', _) => {
                len_at = wire.len();
                wire.push(0);
                continue;
            }
            (b'\\', [hundreds @ b'0'..=b'9', tens, ones, behind @ ..]) => {
                rest = behind;
                (hundreds - b'0') * 100 + (tens - b'0') * 10 + (ones - b'0')
            }
            (b'\\', [escaped, behind @ ..]) => {
                rest = behind;
                *escaped
            }
            (octet, _) => octet,
        };
        wire.push(octet);
        wire[len_at] += 1;
    }
    wire.push(0);
}
