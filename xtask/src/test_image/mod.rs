//! `cargo xtask test-image`: builds the container image, and runs it.
//!
//! [`engine`] finds or starts Docker, [`image`] builds, [`capture`] lets it read a capture, and [`watch`] lets it watch
//! an interface with the four capabilities alone.

mod capture;
mod engine;
mod image;
mod watch;

use anyhow::{Result, ensure};

use crate::steps::{StepOutcome, Steps};
use crate::{command, dist};
use engine::Engine;
use image::ProgramSource;

#[derive(clap::Args)]
pub(crate) struct TestImageArguments {
    /// Let the Dockerfile build the programs, instead of taking those of `cargo xtask dist`; this takes minutes
    #[arg(long)]
    from_source: bool,
}

/// The subcommand. Without an engine it says why, and passes.
pub(crate) fn run(arguments: &TestImageArguments) -> Result<()> {
    let programs = if arguments.from_source { ProgramSource::Built } else { ProgramSource::Given };
    if programs == ProgramSource::Given {
        dist::programs()?;
    }
    let mut steps = Steps::default();
    add(programs, &mut steps);
    println!("\n{}", steps.summary());
    ensure!(steps.all_passed(), "the image is not as it should be");
    Ok(())
}

/// The steps with the programs of `cargo xtask dist`, or one that says why there are none.
pub(crate) fn add_steps(steps: &mut Steps) {
    let mut has_programs = false;
    steps.run("programs for the image", || {
        let found = dist::programs();
        has_programs = found.is_ok();
        Ok(found.map_or_else(|missing| StepOutcome::Skipped(missing.to_string()), |_| StepOutcome::Passed))
    });
    if has_programs {
        add(ProgramSource::Given, steps);
    }
}

fn add(programs: ProgramSource, steps: &mut Steps) {
    let mut found = None;
    steps.run("container engine", || {
        Ok(match Engine::find()? {
            Ok(engine) => {
                found = Some(engine);
                StepOutcome::Passed
            }
            Err(reason) => StepOutcome::Skipped(reason),
        })
    });
    if let Some(engine) = found {
        test(&engine, programs, steps);
    }
}

fn test(engine: &Engine, programs: ProgramSource, steps: &mut Steps) {
    let mut has_base = false;
    steps.run("base images", || {
        let outcome = image::prepare_base(engine, programs)?;
        has_base = matches!(outcome, StepOutcome::Passed);
        Ok(outcome)
    });
    if !has_base || !steps.run("build", || image::make(engine, programs).map(|()| StepOutcome::Passed)) {
        return;
    }
    steps.run("size and user", || image::check(engine).map(|()| StepOutcome::Passed));
    steps.run("reads a capture", || capture::check(engine, programs).map(|()| StepOutcome::Passed));
    steps.run("watches an interface", || watch::check(engine));
    // An engine of its own goes with all of its images.
    if !engine.is_own() {
        command::succeeds(engine.docker().args(["image", "rm", image::IMAGE]));
    }
}
