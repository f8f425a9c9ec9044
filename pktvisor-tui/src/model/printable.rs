//! Text from outside that is safe on a terminal.
//!
//! A DNS name may hold any byte, and an agent may be anybody's: an escape sequence in a name must not clear the
//! screen, retitle the window or hide a line. [`Printable`] can only be made by escaping, and only it is drawn.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text in which every character takes at least one column and none controls the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Printable(Box<str>);

/// Characters kept of one text: a DNS name of 255 octets, every one escaped, has 1,020.
const CHARS_MAX: usize = 1024;

impl Printable {
    /// Escapes what is not plainly visible: control characters (C0, DEL, C1), and everything without a width or that
    /// steers direction, as `\u{202e}`. Cuts at 1,024 characters.
    pub fn new(raw: &str) -> Self {
        let mut text = String::with_capacity(raw.len());
        for (index, character) in raw.chars().enumerate() {
            if index == CHARS_MAX {
                text.push('…');
                break;
            }
            if is_visible(character) { text.push(character) } else { text.extend(character.escape_unicode()) }
        }
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

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn is_visible(character: char) -> bool {
    // Soft hyphen, Hangul fillers and Braille blank have a width here and there, and are never seen.
    const INVISIBLE: [char; 6] = ['\u{ad}', '\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
    character.width().is_some_and(|width| width > 0)
        && !character.is_control()
        && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        && !INVISIBLE.contains(&character)
}

/// Which end of a text matters when there is no room for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Addresses, codes, places: the beginning.
    Head,
    /// Domain names: the end.
    Tail,
}

/// The text in at most `width` columns; `…` stands where it was cut.
pub fn fit(text: &str, width: usize, keep: Keep) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let Some(room) = width.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let mut fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used <= room
    };
    match keep {
        Keep::Head => text.chars().take_while(&mut fits).chain(['…']).collect(),
        Keep::Tail => {
            let mut kept: Vec<char> = text.chars().rev().take_while(&mut fits).collect();
            kept.push('…');
            kept.iter().rev().collect()
        }
    }
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
    fn a_cut_keeps_the_end_that_matters_and_never_exceeds_its_width() {
        assert_eq!(fit("www.example.com", 9, Keep::Tail), "…mple.com");
        assert_eq!(fit("www.example.com", 9, Keep::Head), "www.exam…");
        assert_eq!(fit("short", 5, Keep::Tail), "short");
        assert_eq!(fit("東京東京", 4, Keep::Head), "東…");
        assert_eq!(fit("abc", 0, Keep::Head), "");
        for width in 0..12 {
            for keep in [Keep::Head, Keep::Tail] {
                assert!(fit("東a京b東c京d", width, keep).width() <= width);
            }
        }
    }
}
