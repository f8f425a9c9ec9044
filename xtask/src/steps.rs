//! A sequence of named steps that continues after a failure and prints a summary.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The end of a step that did not fail.
pub(crate) enum StepOutcome {
    /// It passed.
    Passed,
    /// It was skipped, for this reason.
    Skipped(String),
}

/// One finished step; `verdict` is an error if it failed.
struct TestStep {
    name: &'static str,
    took: Duration,
    verdict: Result<StepOutcome>,
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Steps(Vec<TestStep>);

impl Steps {
    /// Runs one step under a heading and records its result. Returns false if it failed.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<StepOutcome>) -> bool {
        println!("\n== {name}");
        let started = Instant::now();
        let verdict = step();
        match &verdict {
            Ok(StepOutcome::Passed) => {}
            Ok(StepOutcome::Skipped(reason)) => println!("skipped: {reason}"),
            Err(error) => println!("FAILED: {error:#}"),
        }
        let passed = verdict.is_ok();
        self.0.push(TestStep { name, took: started.elapsed(), verdict });
        passed
    }

    /// Whether no step failed.
    pub(crate) fn all_passed(&self) -> bool {
        self.0.iter().all(|step| step.verdict.is_ok())
    }

    /// One line for each step with its duration, and the first failure.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        for TestStep { name, took, verdict } in &self.0 {
            let (word, detail) = match verdict {
                Ok(StepOutcome::Passed) => ("ok", String::new()),
                Ok(StepOutcome::Skipped(reason)) => ("skipped", format!(": {reason}")),
                Err(error) => ("FAILED", format!(": {error:#}")),
            };
            text += &format!("{word:<8}{:>7.1} s  {name}{detail}\n", took.as_secs_f64());
        }
        let failures = || self.0.iter().filter_map(|step| Some((step.name, step.verdict.as_ref().err()?)));
        if let Some((name, error)) = failures().next() {
            text += &format!(
                "\n{} of {} steps failed; the first: {name}: {error:#}\n",
                failures().count(),
                self.0.len()
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_after_a_failure_still_run_and_the_first_failure_is_named() {
        let mut steps = Steps::default();
        assert!(steps.run("one", || Ok(StepOutcome::Passed)));
        assert!(!steps.run("two", || anyhow::bail!("broke")));
        assert!(steps.run("three", || Ok(StepOutcome::Skipped("not here".to_owned()))));
        assert!(!steps.run("four", || anyhow::bail!("broke later")));
        assert!(!steps.all_passed());
        let summary = steps.summary();
        assert!(summary.contains("three: not here\n"), "{summary}");
        assert!(summary.ends_with("2 of 4 steps failed; the first: two: broke\n"), "{summary}");
    }

    #[test]
    fn a_skipped_step_is_not_a_failure() {
        let mut steps = Steps::default();
        steps.run("one", || Ok(StepOutcome::Skipped("not here".to_owned())));
        assert!(steps.all_passed());
        assert!(!steps.summary().contains("failed"));
    }
}
