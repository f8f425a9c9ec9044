//! `cargo xtask test-vm`: the tests of the kernel half on another kernel, an older one, in a virtual machine.
//!
//! Debian's cloud kernel (6.1: before tcx) is fetched and unpacked, never installed. What it boots is an archive in memory
//! made of our test programs, the agent and a few tools, each at the path that it has here, with the libraries that it wants.
//! Nothing of the machine is reachable from inside: there is no disk, and the two network interfaces lead to one another.
//!
//! Other kernels can be given, such as a newer one, whose drivers do AF_XDP without copying.

mod archive;
mod image;
mod kernel;
mod machine;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use image::Selection;
use machine::{Accelerator, Machine};

use crate::build_ebpf;
use crate::steps::StepOutcome;
use crate::tally::Tally;

#[derive(Args, Default)]
pub(crate) struct TestVmArguments {
    /// A Debian package with the kernel to boot; again for its modules where they come in another package
    /// [default: the one that linux-image-cloud-amd64 stands for]
    #[arg(long, value_name = "DEB")]
    kernel: Vec<PathBuf>,
    /// Give up after this many seconds [default: 300, without KVM 1800]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Emulate every instruction, also where there is KVM
    #[arg(long)]
    emulate: bool,
    /// Only what is worth its time where every instruction is emulated
    #[arg(long)]
    quick: bool,
}

impl TestVmArguments {
    /// As a part of `cargo xtask test`, which is to take minutes.
    pub(crate) fn brief() -> Self {
        Self { quick: Accelerator::best() == Accelerator::Tcg, ..Self::default() }
    }

    fn accelerator(&self) -> Accelerator {
        if self.emulate { Accelerator::Tcg } else { Accelerator::best() }
    }
}

/// The subcommand.
pub(crate) fn run(arguments: &TestVmArguments) -> Result<()> {
    let mut tally = Tally::default();
    if build_ebpf::can_build() {
        build_ebpf::build_if_possible()?;
    }
    match test(arguments, &mut tally)? {
        StepOutcome::Passed => println!("{tally}"),
        StepOutcome::Skipped(reason) => println!("skipped: {reason}"),
    }
    Ok(())
}

/// Builds, boots and reads the results. The tests are added to the tally.
pub(crate) fn test(arguments: &TestVmArguments, tally: &mut Tally) -> Result<StepOutcome> {
    if let Some(reason) = machine::missing().or_else(image::missing) {
        return Ok(StepOutcome::Skipped(reason));
    }
    let kernel = if arguments.kernel.is_empty() {
        match kernel::fetch() {
            Ok(kernel) => kernel,
            Err(reason) => {
                return Ok(StepOutcome::Skipped(format!("no older kernel can be had here: {reason:#}")));
            }
        }
    } else {
        kernel::unpack(&arguments.kernel)?
    };
    let selection = if arguments.quick { Selection::Quick } else { Selection::All };
    let archive = image::build(&kernel, selection)?;
    let accelerator = arguments.accelerator();
    let slow = accelerator == Accelerator::Tcg;
    let seconds = arguments.timeout.unwrap_or(if slow { 1800 } else { 300 });
    println!("booting {}{}", kernel.release, if slow { " without KVM: this takes a while" } else { "" });
    let machine = Machine { kernel: &kernel.image, archive: &archive, at_most: Duration::from_secs(seconds) };
    let mut statuses = Vec::new();
    machine.boot(accelerator, |line| {
        println!("{line}");
        tally.add_line(line);
        statuses.extend(image::status(line));
    })?;
    match (statuses.len() == image::PROGRAMS.len(), statuses.iter().all(|status| *status == 0)) {
        (true, true) => Ok(StepOutcome::Passed),
        (true, false) => bail!("tests failed on {}", kernel.release),
        (false, _) => {
            bail!("only {} of {} test programs came to an end", statuses.len(), image::PROGRAMS.len())
        }
    }
}

/// Where a tool lies, also one that only root has in its path.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let for_root = ["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(for_root)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}
