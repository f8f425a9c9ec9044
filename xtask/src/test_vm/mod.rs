//! `cargo xtask test-vm`: the tests of the kernel half on another kernel, an older one, in a
//! virtual machine.
//!
//! Debian's cloud kernel (6.1: before tcx) is downloaded and unpacked, never installed. It boots an
//! archive in memory with our test programs, the agent and a few tools, each at the same path as
//! here, with the libraries that it needs. The machine is isolated: it has no disk, and its two
//! network interfaces are connected to each other.
//!
//! Other kernels can be given, such as a newer one, whose drivers support AF_XDP without copying.

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
    /// A Debian package with the kernel to boot; repeat it if the modules are in another package
    /// [default: the newest of linux-image-cloud-amd64]
    #[arg(long, value_name = "DEB")]
    kernel: Vec<PathBuf>,
    /// Give up after this many seconds [default: 300, without KVM 1800]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Emulate every instruction, even if KVM works
    #[arg(long)]
    emulate: bool,
    /// Run only the most important tests, as for an emulated machine
    #[arg(long)]
    quick: bool,
}

impl TestVmArguments {
    /// The arguments within `cargo xtask test`, which should take only minutes.
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

/// The path of a tool, also in a directory that only root has in PATH.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let for_root = ["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(for_root)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}
