//! What libFuzzer prints: statistics at its end, and what it found.

use std::path::Path;

/// What libFuzzer reports at its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FuzzStatistics {
    pub(super) executions: u64,
    pub(super) per_second: u64,
    /// Edges of the control flow that some input took.
    pub(super) coverage: u64,
    /// The same, with how often each was taken.
    pub(super) features: u64,
    pub(super) inputs: usize,
    pub(super) slowest_s: u64,
    pub(super) memory_mb: u64,
}

/// `stat::number_of_executed_units: 123`, and `#123 DONE cov: 4 ft: 5 corp: ...`
pub(super) fn statistics(said: &str) -> FuzzStatistics {
    let number = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
        line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok()).unwrap_or(0)
    };
    // Lines of number signs surround the dictionary that it recommends.
    let is_done = |line: &&str| line.starts_with('#') && line.contains(" cov: ");
    let done = said.lines().rev().find(is_done).unwrap_or_default();
    let of_done = |name: &str| {
        let mut words = done.split_whitespace().skip_while(|word| *word != name).skip(1);
        words.next().and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    FuzzStatistics {
        executions: number("number_of_executed_units"),
        per_second: number("average_exec_per_sec"),
        coverage: of_done("cov:"),
        features: of_done("ft:"),
        inputs: 0,
        slowest_s: number("slowest_unit_time_sec"),
        memory_mb: number("peak_rss_mb"),
    }
}

/// What was found, where its input is, and how to run it again.
pub(super) fn failure(target: &str, program: &Path, said: &str) -> String {
    let reproducer =
        said.lines().find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path.trim()));
    let is_reason =
        |line: &&str| line.contains("panicked at") || line.contains("ERROR:") || line.contains("SUMMARY:");
    let mut lines = said.lines().skip_while(|line| !is_reason(line)).take(6).collect::<Vec<_>>();
    if lines.is_empty() {
        lines = said.lines().rev().take(6).collect();
    }
    format!(
        "{target}: {}\n  input: {}\n  again: {} {1}",
        lines.join("\n    "),
        reproducer.unwrap_or("none was written"),
        program.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statistics_of_libfuzzer_are_read() {
        let said = "#1\tNEW    cov: 1 ft: 1 corp: 1/1b\n#2\tDONE   cov: 34 ft: 56 corp: 7/8b\n\
                    ###### Recommended dictionary. ######\n\"\\001\" # Uses: 3\n\
                    ###### End of recommended dictionary. ######\nstat::number_of_executed_units: 1234\nstat::average_exec_per_sec:     56\n\
                    stat::slowest_unit_time_sec:    0\nstat::peak_rss_mb:              78\n";
        let expected = FuzzStatistics {
            executions: 1234,
            per_second: 56,
            coverage: 34,
            features: 56,
            inputs: 0,
            slowest_s: 0,
            memory_mb: 78,
        };
        assert_eq!(statistics(said), expected);
    }

    #[test]
    fn a_failure_names_the_input_and_how_to_run_it() {
        let said = "INFO: x\nthread '<unnamed>' panicked at src/a.rs:1:1:\nno\n\
                    artifact_prefix='a/'; Test unit written to a/crash-1\n";
        let text = failure("name", Path::new("fuzz/name"), said);
        assert!(
            text.contains("panicked at src/a.rs") && text.ends_with("again: fuzz/name a/crash-1"),
            "{text}"
        );
    }
}
