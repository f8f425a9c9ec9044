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
    let labels: Vec<&[u8]> = name.labels().collect();
    assert_eq!(labels.len(), name.label_count());
    for count in 0..=labels.len().min(5) {
        let suffix = name.suffix(count);
        let wire: Vec<u8> = labels[labels.len() - count..]
            .iter()
            .flat_map(|label| std::iter::once(label.len() as u8).chain(label.iter().copied()))
            .chain([0])
            .collect();
        assert_eq!((suffix.wire, suffix.cut), (&*wire, count < labels.len()), "{count} labels of {name}");
    }
    assert_eq!(labels_of(&name.to_string()), labels);
}

/// The labels of a name in presentation form.
fn labels_of(text: &str) -> Vec<Vec<u8>> {
    assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{text:?}");
    if text == "." {
        return Vec::new();
    }
    let mut labels = vec![Vec::new()];
    let mut rest = text.as_bytes();
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        let octet = match (octet, rest) {
            (b'.', _) => {
                labels.push(Vec::new());
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
        labels.last_mut().expect("there is one").push(octet);
    }
    labels
}
