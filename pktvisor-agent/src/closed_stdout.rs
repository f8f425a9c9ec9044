//! Whether the agent was started without stdout (`>&-`).
//!
//! Before `main`, Rust's runtime opens /dev/null in place of a standard stream that is closed, so
//! the summary would be lost without an error. This looks earlier: among the functions in
//! `.init_array`, which run before it (System V ABI, "Initialization and Termination Functions").

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::bail;
use pktvisor_agent::cli::Options;

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: the section holds pointers to functions that may ignore the arguments that the C library
// passes. This one calls fcntl and stores to an atomic, which need no initialisation.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: reads the flags of a descriptor, which fails if it is closed.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    IS_CLOSED.store(flags < 0, Ordering::Relaxed);
}

/// Checks that the agent can print its summary.
///
/// # Errors
///
/// The agent is to print a summary and has no stdout.
pub(crate) fn check(options: &Options) -> anyhow::Result<()> {
    if !options.target.is_live() && IS_CLOSED.load(Ordering::Relaxed) {
        bail!("cannot write the summary to stdout, which is closed; send it to a file, or to /dev/null");
    }
    Ok(())
}
