//! A message in the middle of a page without data: the reason, and what to do.

//!
//! Text is wrapped by hand, because ratatui's `Paragraph` breaks a long word instead of cutting it
//! with `…`, and unwraps indented lines.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    widgets::StatefulWidget,
};
use unicode_width::UnicodeWidthStr;

use super::canvas::Canvas;
use crate::{
    app::Regions,
    model::{KeptEnd, fit},
    theme::Theme,
};

/// Lines in the middle of an area; long ones are wrapped at words.
pub struct Notice<'a> {
    /// The lines.
    pub lines: &'a [(String, Style)],
    /// Styles of the screen.
    pub theme: &'a Theme,
}

/// Columns of a notice, at most.
const WIDTH_MAX: u16 = 76;

impl StatefulWidget for Notice<'_> {
    type State = Regions;

    fn render(self, area: Rect, buffer: &mut Buffer, regions: &mut Regions) {
        let width = area.width.saturating_sub(4).min(WIDTH_MAX);
        let wrapped = self
            .lines
            .iter()
            .flat_map(|(line, style)| wrap(line, usize::from(width)).into_iter().map(|line| (line, *style)));
        let wrapped: Vec<(String, Style)> = wrapped.collect();
        let height = u16::try_from(wrapped.len()).unwrap_or(u16::MAX).min(area.height);
        let top = Constraint::Length((area.height - height) / 3);
        let [_, rows] = area.layout(&Layout::vertical([top, Constraint::Fill(1)]));
        let left = Constraint::Length(area.width.saturating_sub(width) / 2);
        let [_, text] = rows.layout(&Layout::horizontal([left, Constraint::Fill(1)]));
        let mut canvas = Canvas::new(buffer, self.theme, regions);
        for (row, (line, style)) in (0u16..).zip(&wrapped) {
            canvas.text(text, row, line, *style);
        }
    }
}

/// Breaks a text at blanks into lines of at most `width` columns; a longer word is cut. What is
/// indented stays a line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.starts_with(' ') {
        return vec![fit(text, width, KeptEnd::Head)];
    }
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(&fit(word, width, KeptEnd::Head));
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(fit(word, width, KeptEnd::Head));
        }
    }
    lines
}

/// A sentence in at most `width` columns, cut behind a word: a number that lost digits is a wrong
/// number.
pub fn cut_at_word(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let first = wrap(text, width.saturating_sub(2)).into_iter().next().unwrap_or_default();
    if first.ends_with('…') { first } else { format!("{first} …") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_cut_behind_a_word() {
        assert_eq!(cut_at_word("lost 12,345 packets", 19), "lost 12,345 packets");
        assert_eq!(cut_at_word("lost 12,345 packets", 13), "lost 12,345 …");
        assert_eq!(cut_at_word("lost 12,345 packets", 12), "lost …");
        assert_eq!(cut_at_word("abcdefgh", 6), "abc…");
    }

    #[test]
    fn text_breaks_at_words() {
        assert_eq!(wrap("is pktvisord running there?", 12), ["is pktvisord", "running", "there?"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("abcdefgh", 5), ["abcd…"]);
    }
}
