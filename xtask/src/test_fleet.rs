//! `cargo xtask test-fleet`: the tests of several agents together with what collects from them.
//!
//! `cargo xtask test` runs the same tests among all others.

use std::process::ExitCode;

use anyhow::Result;

use crate::{command, setup, tally::Tally, test};

/// The groups of these tests: package, test program, and the beginning of their names.
const GROUPS: &[(&str, &str, &str)] = &[("pktvisor-agent", "replay", "prometheus::")];

/// The subcommand. Its last line has the numbers of passed, failed and skipped tests.
pub(crate) fn run() -> Result<ExitCode> {
    setup::ensure(setup::SetupLevel::Test)?;
    let mut tally = Tally::default();
    let mut result = Ok(());
    for (package, program, tests) in GROUPS {
        let words = ["test", "--package", package, "--test", program, "--no-fail-fast", "--", tests];
        // The first failure is reported, after all groups.
        result = result.and(test::count_tests(command::cargo(words), &mut tally));
    }
    println!("\n{tally}");
    Ok(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    })
}
