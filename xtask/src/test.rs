//! `cargo xtask test`: every check that must pass before a change lands, the same locally and in
//! CI.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::setup::{self, SetupLevel};
use crate::steps::{StepOutcome, Steps};
use crate::tally::Tally;
use crate::{build_ebpf, command, dependencies, dist, fuzz, test_image, test_package, test_vm, workspace};

#[derive(clap::Args)]
pub(crate) struct TestArguments {
    /// The program that compares the agent with real captures [default: ../shared/check-truth if it
    /// exists]
    #[arg(long, value_name = "PROGRAM", env = "PKTVISOR_CHECK_TRUTH")]
    captures_check: Option<PathBuf>,
    /// Pack and compare the programs that `cargo xtask dist` has just built, instead of a release build
    #[arg(long)]
    shipped: bool,
}

/// The subcommand. Prints a line for each step and, as the last line, the numbers of passed and
/// failed tests.
pub(crate) fn run(arguments: &TestArguments) -> Result<ExitCode> {
    let mut steps = Steps::default();
    let mut tally = Tally::default();
    // If this fails, everything below fails in confusing ways.
    if steps.run("packages for the build and the tests", || passed(setup::ensure(SetupLevel::Test))) {
        steps.run("kernel programs", build_ebpf);
        steps.run("formatting", || {
            cargo(&["fmt", "--all", "--check"])?;
            cargo(&["fmt", "--check", "--manifest-path", build_ebpf::MANIFEST])?;
            cargo(&["fmt", "--check", "--manifest-path", fuzz::MANIFEST])
        });
        steps.run("lints", || {
            cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"])
        });
        steps.run("lints of the kernel programs", || passed(command::run(&mut build_ebpf::lint())));
        steps.run("dependencies", dependencies::check);
        steps.run("documentation", || cargo(&["doc", "--workspace", "--no-deps", "--quiet"]));
        steps.run("tests", || passed(count_tests(all_tests(), &mut tally)));
        steps.run("tests without prefetching", || passed(count_tests(without_prefetching(), &mut tally)));
        steps.run("an older kernel", || test_vm::test(&test_vm::TestVmArguments::brief(), &mut tally));
        add_program_steps(&mut steps, arguments);
    }
    println!("\n{}\n{tally}", steps.summary());
    Ok(if steps.all_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The steps that try optimised programs.
fn add_program_steps(steps: &mut Steps, arguments: &TestArguments) {
    let mut programs = None;
    let name = if arguments.shipped { "shipped programs" } else { "release build" };
    steps.run(name, || {
        programs = Some(if arguments.shipped { dist::programs()? } else { build_programs()? });
        Ok(StepOutcome::Passed)
    });
    let without = || Ok(StepOutcome::Skipped("there are no programs".to_owned()));
    steps.run("Debian package", || programs.as_deref().map_or_else(without, test_package::test));
    test_image::add_steps(steps);
    let check = arguments.captures_check.as_deref();
    steps.run("real captures", || {
        programs.as_deref().map_or_else(without, |programs| check_captures(check, programs))
    });
}

/// Builds the programs of the workspace, and returns their directory.
fn build_programs() -> Result<PathBuf> {
    command::run(&mut command::cargo(["build", "--release", "--workspace", "--exclude", "xtask"]))?;
    workspace::release_directory()
}

fn passed(result: Result<()>) -> Result<StepOutcome> {
    result.map(|()| StepOutcome::Passed)
}

/// First, because the agent embeds the result.
fn build_ebpf() -> Result<StepOutcome> {
    Ok(match build_ebpf::build_if_possible()? {
        Some(_) => StepOutcome::Passed,
        None => StepOutcome::Skipped(
            "there is no compiler for them (cargo xtask build-ebpf says what to install)".to_owned(),
        ),
    })
}

fn cargo(arguments: &[&str]) -> Result<StepOutcome> {
    passed(command::run(&mut command::cargo(arguments)))
}

/// All tests of the workspace.
fn all_tests() -> Command {
    command::cargo(["test", "--workspace", "--no-fail-fast"])
}

/// The comparison of the agent with known answers, with all prefetches compiled out.
fn without_prefetching() -> Command {
    let oracle = ["test", "--package", "pktvisor-agent", "--test", "oracle"];
    command::cargo([&oracle[..], &["--features", "no-prefetch", "--no-fail-fast"]].concat())
}

/// Runs tests, also after one failed, and counts them by their output.
pub(crate) fn count_tests(mut test: Command, tally: &mut Tally) -> Result<()> {
    let line = command::line(&test);
    println!("$ {line}");
    let mut child = test.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    for output in child.stdout.take().map(BufReader::new).into_iter().flat_map(|reader| reader.split(b'\n')) {
        let output = output.with_context(|| format!("cannot read the output of `{line}`"))?;
        let output = String::from_utf8_lossy(&output);
        println!("{output}");
        tally.add_line(&output);
    }
    let status = child.wait().with_context(|| format!("cannot wait for `{line}`"))?;
    if !status.success() {
        // Tests that do not compile, and test programs that die, print no result.
        tally.failed = tally.failed.max(1);
        bail!("`{line}` failed ({status}): {tally}");
    }
    Ok(())
}

/// Compares the agent with the counts of tshark in real captures, if these are available.
fn check_captures(given: Option<&Path>, programs: &Path) -> Result<StepOutcome> {
    let beside_the_checkout = workspace::root().join("../shared/check-truth");
    let check = given.unwrap_or(&beside_the_checkout);
    if given.is_none() && !check.exists() {
        return Ok(StepOutcome::Skipped(
            "there is no directory `shared` with real captures and their truth beside the checkout \
             (--captures-check or PKTVISOR_CHECK_TRUTH names a check that lies elsewhere)"
                .to_owned(),
        ));
    }
    passed(command::run(Command::new(check).arg(programs.join("pktvisord"))))
}
