//! Adds up the `test result:` lines that each test program prints, and the skipped tests.

use std::fmt;

/// Numbers of tests that passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests that cargo ignored.
    pub(crate) skipped: u64,
    /// Tests that skipped themselves; they also count as passed.
    pub(crate) skipped_inside: u64,
}

impl Tally {
    /// Adds one line of output; lines without results change nothing.
    ///
    /// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in
    /// 0.01s`
    ///
    /// `skipped: network namespaces need root (a_test)`, of a test that cargo will count as passed.
    /// With one thread, cargo's own line is not ended before it.
    pub(crate) fn add_line(&mut self, line: &str) {
        if line.starts_with("skipped: ") || (line.starts_with("test ") && line.contains(" ... skipped: ")) {
            self.skipped_inside += 1;
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, word)| (number.parse::<u64>(), word)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                Some((Ok(number), "ignored")) => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.skipped + self.skipped_inside;
        write!(f, "{} passed, {} failed", self.passed.saturating_sub(self.skipped_inside), self.failed)?;
        if skipped > 0 {
            write!(f, ", {skipped} skipped")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_test_programs_add_up() {
        let mut tally = Tally::default();
        for line in [
            "running 13 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test a_result ... ok",
            "skipped: there is no program ip (another_result)",
            "test a_third ... skipped: network namespaces need root (main)",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            tally.add_line(line);
        }
        assert_eq!(tally, Tally { passed: 15, failed: 2, skipped: 1, skipped_inside: 2 });
        assert_eq!(tally.to_string(), "13 passed, 2 failed, 3 skipped");
    }

    #[test]
    fn nothing_skipped_is_not_mentioned() {
        assert_eq!(Tally { passed: 1, ..Tally::default() }.to_string(), "1 passed, 0 failed");
    }
}
