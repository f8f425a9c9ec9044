//! The Prometheus text format, version 0.0.4: families with help and type, samples with labels.

use std::fmt::{Display, Write};

/// The type of a family.
#[derive(Clone, Copy, Debug)]
pub(super) enum FamilyKind {
    /// Grows from the start of the agent; the name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by upper bound, since start.
    Histogram,
    /// Values by quantile.
    Summary,
}

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family; its samples follow.
    pub(super) fn family<'a>(&'a mut self, name: &'a str, kind: FamilyKind, help: &str) -> FamilyWriter<'a> {
        let kind = match kind {
            FamilyKind::Counter => "counter",
            FamilyKind::Gauge => "gauge",
            FamilyKind::Histogram => "histogram",
            FamilyKind::Summary => "summary",
        };
        self.text.push_str("# HELP ");
        self.text.push_str(name);
        self.text.push(' ');
        escape(&mut self.text, help, Quotes::Kept);
        self.line(format_args!("\n# TYPE {name} {kind}"));
        FamilyWriter { exposition: self, name }
    }

    /// A family with a single sample and no labels.
    pub(super) fn single(&mut self, name: &str, kind: FamilyKind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The finished text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing into a String does not fail.
        let _ = self.text.write_fmt(arguments);
        self.text.push('\n');
    }
}

/// A family, to which samples are added.
pub(super) struct FamilyWriter<'a> {
    exposition: &'a mut Exposition,
    name: &'a str,
}

impl FamilyWriter<'_> {
    /// Adds one sample. Label values may hold anything.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.sample_of("", labels, value)
    }

    /// Adds one sample of a histogram: `_bucket`, `_sum` or `_count`.
    pub(super) fn sample_of(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl Display,
    ) -> &mut Self {
        let text = &mut self.exposition.text;
        text.push_str(self.name);
        text.push_str(suffix);
        for (index, (label, content)) in labels.iter().enumerate() {
            text.push(if index == 0 { '{' } else { ',' });
            text.push_str(label);
            text.push_str("=\"");
            escape(text, content, Quotes::Escaped);
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        self.exposition.line(format_args!(" {value}"));
        self
    }
}

/// What happens to quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Kept,
    Escaped,
}

/// Appends text with escaped backslashes and line feeds. Quotes are escaped in label values only.
fn escape(text: &mut String, content: &str, quotes: Quotes) {
    for character in content.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes == Quotes::Escaped => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_help_are_escaped() {
        let mut exposition = Exposition::default();
        let mut family = exposition.family("a_total", FamilyKind::Counter, "say \"x\" \\ y\nz");
        family.sample(&[("k", "q\"b\\n\nl"), ("m", "é")], 3).sample(&[], 0.5);
        assert_eq!(
            exposition.finish(),
            "# HELP a_total say \"x\" \\\\ y\\nz\n# TYPE a_total counter\n\
             a_total{k=\"q\\\"b\\\\n\\nl\",m=\"é\"} 3\na_total 0.5\n"
        );
    }
}
