//! `cargo xtask bench kernel`: the cost of a packet in the kernel.

use anyhow::{Context, Result};

use crate::{build_ebpf, command};

/// Builds the kernel programs and runs the benchmark, which is one of the agent's.
pub(super) fn run() -> Result<()> {
    build_ebpf::build_if_possible()?.context(
        "there is no compiler for the kernel programs (cargo xtask build-ebpf says what to install)",
    )?;
    command::run(&mut command::cargo(["bench", "-p", "pktvisor-capture", "--bench", "kernel"]))
}
