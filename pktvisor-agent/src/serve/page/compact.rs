//! Shorter forms of the files of the page, without changing what they mean.
//!
//! Every line stays a line, so that a position in the browser's console still leads to the source.
//! Nothing here understands CSS or JavaScript: quoted text stays, and so does a line with a slash, a
//! backslash or a backquote, because it may hold a comment, a regular expression or a template.

/// Characters of JavaScript beside which a space means nothing.
const JAVASCRIPT: &str = "=<>(){}[],:;?&|";

/// The same in CSS, where a space beside a bracket separates.
const CSS: &str = "{},:;";

/// Leaves out indentation and empty lines.
pub(super) fn html(text: &str) -> String {
    lines(text, "")
}

/// Also leaves out comments that are a line, and spaces beside punctuation.
pub(super) fn css(text: &str) -> String {
    lines(text, CSS)
}

/// The same for a script.
pub(super) fn javascript(text: &str) -> String {
    lines(text, JAVASCRIPT)
}

fn lines(text: &str, punctuation: &str) -> String {
    let is_comment = |line: &str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line));
    lines.map(|line| squeezed(line, punctuation) + "\n").collect()
}

/// A line without the spaces beside punctuation, except in quotes.
fn squeezed(line: &str, punctuation: &str) -> String {
    if line.contains(['/', '\\', '`']) {
        return line.to_owned();
    }
    let mut squeezed = String::with_capacity(line.len());
    let mut quote = None;
    let mut before = None;
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        let is_beside =
            [before, rest.peek().copied()].into_iter().flatten().any(|near| punctuation.contains(near));
        if quote.is_some() || character != ' ' || !is_beside {
            squeezed.push(character);
        }
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            _ => {}
        }
        before = Some(character);
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_comments_and_spaces_beside_punctuation_are_left_out() {
        let script =
            "// a\n  if (b === c) { d(e, - -f); } // g\n\n  h = i ? j : k;\n/* l */\nreturn [m => n];\n";
        assert_eq!(javascript(script), "if (b === c) { d(e, - -f); } // g\nh=i?j:k;\nreturn[m=>n];\n");
        let style = "@media (min-width: 1px) {\n  a:not(.b) .c, d > e { f: g(0, 1fr) 2px; }\n}\n";
        assert_eq!(css(style), "@media (min-width:1px){\na:not(.b) .c,d > e{f:g(0,1fr) 2px;}\n}\n");
        assert_eq!(html("<a>\n  <b> c </b>\n</a>\n"), "<a>\n<b> c </b>\n</a>\n");
    }

    #[test]
    fn text_stays_as_it_is() {
        for line in ["a(`b , c`);", "a(/b , c/);", "a('\\' , ');"] {
            assert_eq!(javascript(line), format!("{line}\n"));
        }
        assert_eq!(javascript("a = 'b , \"c' + \" , d , '\";"), "a='b , \"c' + \" , d , '\";\n");
        assert_eq!(css("a: \"b , c\", d;"), "a:\"b , c\",d;\n");
    }
}
