//! What stands in the middle when there is nothing to show: what happened, and what to do.

use ratatui::{layout::Rect, style::Style};

use super::Canvas;
use crate::model::{Keep, fit};

/// Draws lines in the middle of an area; long ones are wrapped at words.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, lines: &[(String, Style)]) {
    let width = usize::from(area.width.saturating_sub(4)).min(76);
    let wrapped: Vec<(String, Style)> =
        lines.iter().flat_map(|(line, style)| wrap(line, width).into_iter().map(|l| (l, *style))).collect();
    let height = u16::try_from(wrapped.len()).unwrap_or(u16::MAX).min(area.height);
    let column = area.width.saturating_sub(u16::try_from(width).unwrap_or(0)) / 2;
    let top = (area.height - height) / 3;
    for (row, (line, style)) in (top..).zip(&wrapped) {
        canvas.put(area, row, column, line, *style);
    }
}

/// Breaks a text at blanks into lines of at most `width` columns; a longer word is cut. What is indented stays a line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    if text.starts_with(' ') {
        return vec![fit(text, width, Keep::Head)];
    }
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(&fit(word, width, Keep::Head));
        } else if line.width() + 1 + word.width() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(fit(word, width, Keep::Head));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_words() {
        assert_eq!(wrap("is pktvisord running there?", 12), ["is pktvisord", "running", "there?"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("abcdefgh", 5), ["abcd…"]);
    }
}
