//! Changes to the documents of an agent, as the input says.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::{Value, json};

use super::sample::{NAMES, SAMPLE};

/// Most changes to one document.
const CHANGES_MAX: usize = 12;

/// Texts that a terminal or a layout could trip over.
const TEXTS: [&str; 10] = [
    "",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\r\n\t\0",
    "\u{202e}elpmaxe",
    "\u{200b}\u{feff}\u{ad}",
    "宽宽宽宽",
    "e\u{301}\u{301}",
    "👩‍👩‍👧‍👦",
    "a.very.long.name.of.a.host.in.a.zone.that.does.not.end.example",
    "\u{9b}31m\u{7f}",
];

#[derive(Arbitrary, Debug)]
enum Change {
    Number(u64),
    Negative(i64),
    Fraction(f64),
    Text(u8),
    Bytes([u8; 8]),
    Null,
    Empty,
    /// The elements of a list, again and again.
    Repeat(u8),
    Remove,
    Copy([u8; 4]),
}

/// Copies of those of the [documents](NAMES) that were changed.
pub(super) type ChangedDocuments = [Option<Value>; NAMES.len()];

/// Changes values anywhere.
pub(super) fn change(
    documents: &mut ChangedDocuments,
    input: &mut Unstructured<'_>,
) -> arbitrary::Result<()> {
    for _ in 0..input.int_in_range(0..=CHANGES_MAX)? {
        let (document, path): (u8, [u8; 4]) = input.arbitrary()?;
        let document = usize::from(document) % NAMES.len();
        let document = documents[document].get_or_insert_with(|| SAMPLE[NAMES[document]].clone());
        let change: Change = input.arbitrary()?;
        let copy = match &change {
            Change::Copy(path) => at(document, path).clone(),
            _ => Value::Null,
        };
        let value = at(document, &path);
        match change {
            Change::Number(number) => *value = number.into(),
            Change::Negative(number) => *value = number.into(),
            Change::Fraction(number) => *value = number.into(),
            Change::Text(number) => *value = TEXTS[usize::from(number) % TEXTS.len()].into(),
            Change::Bytes(bytes) => *value = String::from_utf8_lossy(&bytes).into(),
            Change::Null => *value = Value::Null,
            Change::Empty => *value = if value.is_array() { json!([]) } else { json!({}) },
            Change::Copy(_) => *value = copy,
            Change::Repeat(times) => {
                if let Value::Array(elements) = value {
                    let again = elements.clone();
                    let again = again.iter().cycle().take(again.len() * usize::from(times % 16));
                    elements.extend(again.cloned());
                    elements.truncate(1000);
                }
            }
            Change::Remove => {
                if let Value::Object(entries) = value {
                    let first = entries.keys().next().cloned();
                    first.map(|key| entries.remove(&key));
                }
            }
        }
    }
    Ok(())
}

/// The value at a path, of which each step chooses among what is there.
fn at<'a>(mut value: &'a mut Value, path: &[u8]) -> &'a mut Value {
    for step in path {
        let parts = match &*value {
            Value::Array(elements) => elements.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        };
        if parts == 0 {
            break;
        }
        let place = usize::from(*step) % parts;
        let part = match value {
            Value::Array(elements) => elements.get_mut(place),
            Value::Object(entries) => entries.values_mut().nth(place),
            _ => None,
        };
        value = part.expect("there are so many");
    }
    value
}
