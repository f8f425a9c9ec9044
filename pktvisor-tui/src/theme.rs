//! Colours by what they mean, never by what they are: a page asks for "bad", not for red.
//!
//! Only the 16 colours of the terminal's own palette are used, always on its own background, and
//! colour is never the only sign of a state. Secondary text is dim, not grey, because grey is
//! invisible in many palettes.

use clap::ValueEnum;
use ratatui::style::{Color, Modifier, Style};

use crate::model::HealthLevel;

/// Which colours to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeChoice {
    /// Chosen by the environment.
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// No colour at all, only bold, dim, underlined and reversed.
    Mono,
}

/// Styles by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// As it should be.
    pub good: Style,
    /// Worth a look.
    pub warn: Style,
    /// Broken, or losing data.
    pub bad: Style,
    /// Choices of the operator: the page, the focused list, the filter.
    pub accent: Style,
    /// Labels beside values, rules, and secondary text.
    pub label: Style,
    /// Plain text.
    pub text: Style,
    /// Numbers that matter.
    pub value: Style,
    /// Bars and charts.
    pub bar: Style,
    /// The row under the cursor.
    pub cursor: Style,
}

impl Theme {
    /// For dark backgrounds.
    pub fn dark() -> Self {
        Self::coloured(Color::Yellow, Color::Cyan, Color::Cyan)
    }

    /// For light backgrounds, where yellow and cyan cannot be read.
    pub fn light() -> Self {
        Self::coloured(Color::Magenta, Color::Blue, Color::Blue)
    }

    fn coloured(warn: Color, accent: Color, bar: Color) -> Self {
        let text = Style::new();
        Self {
            good: text.fg(Color::Green),
            warn: text.fg(warn).add_modifier(Modifier::BOLD),
            bad: text.fg(Color::Red).add_modifier(Modifier::BOLD),
            accent: text.fg(accent).add_modifier(Modifier::BOLD),
            label: text.add_modifier(Modifier::DIM),
            text,
            value: text.add_modifier(Modifier::BOLD),
            bar: text.fg(bar),
            cursor: text.add_modifier(Modifier::REVERSED),
        }
    }

    /// Without colour: <https://no-color.org>, and terminals that have none.
    pub fn mono() -> Self {
        let text = Style::new();
        let bold = text.add_modifier(Modifier::BOLD);
        Self {
            good: text,
            warn: bold.add_modifier(Modifier::UNDERLINED),
            bad: bold.add_modifier(Modifier::REVERSED),
            accent: bold.add_modifier(Modifier::UNDERLINED),
            label: text.add_modifier(Modifier::DIM),
            text,
            value: bold,
            bar: text,
            cursor: text.add_modifier(Modifier::REVERSED),
        }
    }

    /// By choice, or by the environment that `variable` looks up: NO_COLOR (set and not empty) and
    /// TERM=dumb mean no colour; the last field of COLORFGBG, which rxvt, Konsole and others set,
    /// is the background.
    pub fn choose(choice: ThemeChoice, variable: impl Fn(&str) -> Option<String>) -> Self {
        match choice {
            ThemeChoice::Dark => Self::dark(),
            ThemeChoice::Light => Self::light(),
            ThemeChoice::Mono => Self::mono(),
            ThemeChoice::Auto => {
                if variable("NO_COLOR").is_some_and(|value| !value.is_empty())
                    || variable("TERM").is_some_and(|term| term == "dumb" || term.starts_with("vt"))
                {
                    return Self::mono();
                }
                let background =
                    variable("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
                if matches!(background, Some(7 | 9..=15)) { Self::light() } else { Self::dark() }
            }
        }
    }

    /// The style of a state.
    pub fn health(&self, health: HealthLevel) -> Style {
        match health {
            HealthLevel::Unknown => self.label,
            HealthLevel::Good => self.value,
            HealthLevel::Warn => self.warn,
            HealthLevel::Bad => self.bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &'static [(&str, &str)]) -> Theme {
        Theme::choose(ThemeChoice::Auto, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn no_color_leaves_no_colour() {
        assert_eq!(with(&[("NO_COLOR", "1"), ("COLORFGBG", "0;15")]), Theme::mono());
        assert_eq!(with(&[("NO_COLOR", "")]), Theme::dark());
        let mono = format!("{:?}", Theme::mono());
        assert!(!mono.contains("fg: Some") && !mono.contains("bg: Some"), "{mono}");
    }

    #[test]
    fn a_light_background_is_recognised() {
        assert_eq!(with(&[("COLORFGBG", "0;15")]), Theme::light());
        assert_eq!(with(&[("COLORFGBG", "0;default;15")]), Theme::light());
        assert_eq!(with(&[("COLORFGBG", "15;0")]), Theme::dark());
        assert_eq!(with(&[]), Theme::dark());
    }
}
