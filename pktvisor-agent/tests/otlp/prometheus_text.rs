//! The text of `/metrics` in the terms of OpenTelemetry, by the rule of docs/operations.md.

use std::collections::BTreeMap;

/// Metrics whose name is not made by the rule.
const CONVENTIONS: [(&str, &str); 5] = [
    ("pktvisor_dns_transaction_duration_seconds", "dns.lookup.duration"),
    ("process_cpu_seconds_total", "process.cpu.time"),
    ("pktvisor_cpu_seconds_total", "pktvisor.cpu.time"),
    ("process_resident_memory_bytes", "process.memory.usage"),
    ("pktvisor_uptime_seconds", "process.uptime"),
];

/// Name and labels.
pub(crate) type Series = (String, BTreeMap<String, String>);

/// The value of each series that belongs to no histogram, by the name of the metric.
pub(crate) fn series(text: &str) -> BTreeMap<Series, f64> {
    let samples = samples(text).into_iter();
    samples
        .filter(|((name, _), _)| !is_of_histogram(name))
        .map(|((name, labels), value)| ((renamed(&name), labels), value))
        .collect()
}

/// The value of a series by its name in the text.
pub(crate) fn value(text: &str, name: &str, label: Option<(&str, &str)>) -> f64 {
    let is_meant = |(found, labels): &Series| {
        found == name
            && label.is_none_or(|(label, value)| labels.get(label).is_some_and(|found| found == value))
    };
    samples(text).into_iter().filter(|(series, _)| is_meant(series)).map(|(_, value)| value).sum()
}

fn is_of_histogram(name: &str) -> bool {
    ["_bucket", "_sum", "_count"].iter().any(|suffix| {
        name.strip_suffix(suffix).is_some_and(|name| name == "pktvisor_dns_transaction_duration_seconds")
    })
}

fn renamed(name: &str) -> String {
    if let Some((_, renamed)) = CONVENTIONS.iter().find(|(given, _)| *given == name) {
        return (*renamed).to_owned();
    }
    let name = name.strip_suffix("_total").unwrap_or(name);
    let name = ["_seconds", "_ratio"].iter().find_map(|unit| name.strip_suffix(unit)).unwrap_or(name);
    name.replace('_', ".")
}

/// All lines with a value.
pub(crate) fn samples(text: &str) -> Vec<(Series, f64)> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(sample).collect()
}

fn sample(line: &str) -> (Series, f64) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.trim_start_matches(',').split_once("=\"").unwrap();
            let (value, after) = unescaped(after);
            labels.insert(label.to_owned(), value);
            rest = after;
        }
        rest = &rest[1..];
    }
    ((name.to_owned(), labels), rest.trim().parse().unwrap())
}

/// The text up to the quote, and what follows.
fn unescaped(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return (value, &text[index + 1..]),
            '\\' => match characters.next().unwrap().1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            other => value.push(other),
        }
    }
    panic!("{text}")
}
