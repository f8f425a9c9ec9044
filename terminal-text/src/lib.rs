//! Escapes text from outside (names of files, expressions, names of networks), so that it cannot
//! control a terminal or forge lines of a log.

use core::fmt::{self, Display, Formatter, Write};

/// Shows a value with its control characters escaped, so that it cannot change what a terminal does
/// or begin another line of a log: `\u{1b}` for escape, `\n` for the end of a line. Nor can it
/// change the direction of what follows it.
///
/// ```
/// # use terminal_text::Escaped;
/// assert_eq!(format!("{}", Escaped("\x1b[31mx.pcap")), r"\u{1b}[31mx.pcap");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaper { to: f, lines: Lines::Escaped }, "{}", self.0)
    }
}

/// As [`Escaped`], for a whole message: its own ends of lines and tabulators stay.
#[derive(Clone, Copy, Debug)]
pub struct EscapedLines<T>(pub T);

impl<T: Display> Display for EscapedLines<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escaper { to: f, lines: Lines::Kept }, "{}", self.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Escaped,
    Kept,
}

struct Escaper<'a, 'b> {
    to: &'a mut Formatter<'b>,
    lines: Lines,
}

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|character| !self.is_printed(character)) {
            let (before, from) = rest.split_at(at);
            self.to.write_str(before)?;
            let mut characters = from.chars();
            if let Some(character) = characters.next() {
                write!(self.to, "{}", character.escape_default())?;
            }
            rest = characters.as_str();
        }
        self.to.write_str(rest)
    }
}

impl Escaper<'_, '_> {
    fn is_printed(&self, character: char) -> bool {
        match character {
            '\n' | '\t' => self.lines == Lines::Kept,
            _ => !is_control(character),
        }
    }
}

/// Whether a character is one that is not seen, but does something: the control characters of
/// Unicode (category Cc), ends of lines and paragraphs, and what changes the direction of writing
/// (Unicode Standard Annex 9).
pub fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text has control characters, other than ends of lines and tabulators.
pub fn has_control(text: &str) -> bool {
    text.chars().any(|character| !matches!(character, '\n' | '\t') && is_control(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        let cases = [
            ("trace.pcap", "trace.pcap"),
            ("\x1b]0;title\x07.pcap", r"\u{1b}]0;title\u{7}.pcap"),
            ("a\nERROR b\r\tc", r"a\nERROR b\r\tc"),
            ("\x7f\u{9b}31m", r"\u{7f}\u{9b}31m"),
            ("a\u{202e}pacp.b\u{2066}", r"a\u{202e}pacp.b\u{2066}"),
            ("Müller 日本 \\ ' \"", "Müller 日本 \\ ' \""),
            ("", ""),
        ];
        for (text, shown) in cases {
            assert_eq!(format!("{}", Escaped(text)), shown);
        }
    }

    #[test]
    fn the_lines_of_a_message_stay() {
        assert_eq!(format!("{}", EscapedLines("one:\n\ttwo \x1b[1m\r")), "one:\n\ttwo \\u{1b}[1m\\r");
    }
}
