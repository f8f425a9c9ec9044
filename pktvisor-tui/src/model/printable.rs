//! Text from outside that is safe on a terminal.
//!
//! A DNS name may hold any byte, and an agent may be anybody's: an escape sequence in a name must
//! not clear the screen, retitle the window or hide a line. [`Printable`] can only be made by
//! escaping, and only it is drawn.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text in which every character takes at least one column and none controls the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Printable(Box<str>);

/// Characters kept of one text: a DNS name of 255 octets, every one escaped, has 1,020.
const CHARS_MAX: usize = 1024;

impl Printable {
    /// Escapes all characters that are not visible: control characters (C0, DEL, C1), characters
    /// without a width, and those that change the direction, as `\u{202e}`. Cuts at 1,024
    /// characters.
    pub fn new(raw: &str) -> Self {
        // No text has more characters than bytes.
        let cut = if raw.len() > CHARS_MAX { raw.char_indices().nth(CHARS_MAX) } else { None };
        let mut text = match cut {
            Some((byte, _)) => escape(raw.get(..byte).unwrap_or_default()) + "…",
            None => escape(raw),
        };
        text.shrink_to_fit();
        Self(text.into_boxed_str())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.0.width()
    }
}

/// The whole text with all invisible characters escaped: for messages on stderr, which name files
/// and arguments.
pub fn escape(raw: &str) -> String {
    // Most texts are names, addresses and codes.
    if raw.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return raw.to_owned();
    }
    let mut text = String::with_capacity(raw.len());
    for character in raw.chars() {
        if is_visible(character) { text.push(character) } else { text.extend(character.escape_unicode()) }
    }
    text
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn is_visible(character: char) -> bool {
    // Soft hyphen, Hangul fillers and Braille blank have a width in some terminals, and are never
    // visible.
    const INVISIBLE: [char; 6] = ['\u{ad}', '\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
    character.width().is_some_and(|width| width > 0)
        && !character.is_control()
        && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        && !INVISIBLE.contains(&character)
}

/// The end of a text that is kept if there is no room for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptEnd {
    /// Codes, places: the beginning.
    Head,
    /// Domain names: the end.
    Tail,
    /// IPv6 addresses: the beginning is the network, the end is the interface.
    Ends,
}

impl KeptEnd {
    /// The important end of an agent's address: both ends of an IPv6 address, the beginning of a
    /// name.
    pub fn of_address(address: &str) -> Self {
        if address.starts_with('[') { Self::Ends } else { Self::Head }
    }
}

/// The text in at most `width` columns; `…` stands where it was cut.
pub fn fit(text: &str, width: usize, keep: KeptEnd) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let tail_room = match keep {
        KeptEnd::Head => 0,
        KeptEnd::Tail => room,
        KeptEnd::Ends => room / 2,
    };
    let head: String = text.chars().take_while(within(room - tail_room)).collect();
    let kept: usize = text.chars().rev().take_while(within(tail_room)).map(char::len_utf8).sum();
    let tail = text.get(escape_end(text, text.len() - kept)..).unwrap_or_default();
    format!("{head}…{tail}")
}

/// Accepts characters until they take more than `room` columns.
fn within(room: usize) -> impl FnMut(&char) -> bool {
    let mut used = 0;
    move |character| {
        used += character.width().unwrap_or(0);
        used <= room
    }
}

/// The first place at or behind `offset` that is not inside an escape: `\X` or `\DDD` of a domain
/// name (RFC 1035 section 5.1), or `\u{N}` of a control character. A cut there would show a dot
/// within a label as one between labels.
fn escape_end(text: &str, offset: usize) -> usize {
    let mut rest = text.char_indices();
    while let Some((start, character)) = rest.next() {
        if start >= offset {
            return start;
        }
        if character == '\\' {
            let behind = rest.as_str();
            let digits = behind.bytes().take(3).filter(u8::is_ascii_digit).count();
            let escaped = match behind.strip_prefix("u{").and_then(|number| number.find('}')) {
                Some(digits) => "u{".len() + digits + "}".len(),
                None if digits == 3 => 3,
                None => 1,
            };
            rest.by_ref().take(escaped).for_each(drop);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_controls_a_terminal_gets_through() {
        let hostile = "a\u{1b}[2J\u{7}\u{7f}\u{9b}31m\u{202e}b\u{200b}c\u{301}\r\n\t\u{feff}\u{ad}";
        let printable = Printable::new(hostile);
        assert!(printable.as_str().chars().all(|c| !c.is_control() && c.width() >= Some(1)), "{printable}");
        assert!(
            printable.as_str().starts_with("a\\u{1b}[2J\\u{7}\\u{7f}\\u{9b}31m\\u{202e}b"),
            "{printable}"
        );
        for character in '\0'..=char::MAX {
            let text = Printable::new(&character.to_string());
            assert!(text.width() >= 1 && !text.as_str().chars().any(char::is_control), "{character:?}");
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["EU/Sweden/E/Linköping", ".example.com", "\\003www.example", "東京.jp", "2001:db8::1"]
        {
            assert_eq!(Printable::new(text).as_str(), text);
        }
    }

    #[test]
    fn length_is_bounded() {
        assert_eq!(Printable::new(&"x".repeat(1_000_000)).width(), CHARS_MAX + 1);
    }

    #[test]
    fn an_ipv6_address_keeps_its_network_and_its_interface() {
        let text = "2001:db8:1:2:aaaa:bbbb:cccc:dddd";
        assert_eq!(fit(text, 18, KeptEnd::Ends), "2001:db8:…ccc:dddd");
        assert_eq!(fit(text, 32, KeptEnd::Ends), text);
        assert_eq!(fit(text, 2, KeptEnd::Ends), "2…");
    }

    #[test]
    fn a_cut_keeps_the_end_that_matters_and_never_exceeds_its_width() {
        assert_eq!(fit("www.example.com", 9, KeptEnd::Tail), "…mple.com");
        assert_eq!(fit("www.example.com", 9, KeptEnd::Head), "www.exam…");
        assert_eq!(fit("short", 5, KeptEnd::Tail), "short");
        assert_eq!(fit("東京東京", 4, KeptEnd::Head), "東…");
        assert_eq!(fit("abc", 0, KeptEnd::Head), "");
        assert_eq!(fit(r"abc\.def.com", 10, KeptEnd::Tail), r"…\.def.com");
        assert_eq!(fit(r"abc\.def.com", 9, KeptEnd::Tail), "…def.com");
        assert_eq!(fit(r"abc\\.def.com", 10, KeptEnd::Tail), "….def.com");
        for width in [7, 8, 9] {
            assert_eq!(fit(r"abc\032f.com", width, KeptEnd::Tail), "…f.com");
        }
        assert_eq!(fit(r"abc\", 3, KeptEnd::Tail), r"…c\");
        for width in 0..12 {
            for keep in [KeptEnd::Head, KeptEnd::Tail, KeptEnd::Ends] {
                assert!(fit("東a京b東c京d", width, keep).width() <= width);
            }
        }
    }
}
