//! Installs the compiler and linker for `cargo xtask build-ebpf`, from Debian or with rustup.
//!
//! The agent can be built without the kernel programs, so a failure here is only one line of
//! warning.

use std::process::Command;

use anyhow::{Result, anyhow};

use crate::{apt, build_ebpf, command};

/// Debian's compiler with a `core` for BPF, and the LLVM of the same version for the linker.
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev-bpf", "llvm-22-dev", "libpolly-22-dev"];
const DEBIAN_LLVM: &str = "/usr/lib/llvm-22";

/// Installs compiler and linker if they are missing; never fails.
pub(crate) fn ensure() {
    if build_ebpf::can_build() {
        return;
    }
    println!("missing: a compiler for the kernel programs");
    let installed = install_debian().or_else(|debian| {
        install_nightly().map_err(|nightly| anyhow!("{debian:#}; and with rustup: {nightly:#}"))
    });
    match installed {
        Ok(()) if build_ebpf::can_build() => {}
        Ok(()) => {
            eprintln!("warning: the kernel programs cannot be built here, so the agent will be without them")
        }
        Err(error) => {
            let reason = format!("{error:#}").replace('\n', " ");
            eprintln!(
                "warning: the agent will be without kernel programs, which cannot be built here: {reason}"
            );
        }
    }
}

/// The Debian packages that a build of the kernel programs needs and that are not installed, if this system has them.
pub(crate) fn missing_packages() -> Vec<&'static str> {
    if build_ebpf::can_build() || !DEBIAN_PACKAGES.iter().all(|package| apt::has(package)) {
        return Vec::new();
    }
    DEBIAN_PACKAGES.iter().copied().filter(|package| !apt::is_installed(package)).collect()
}

fn install_debian() -> Result<()> {
    let missing: Vec<_> =
        DEBIAN_PACKAGES.iter().copied().filter(|package| !apt::is_installed(package)).collect();
    if !missing.is_empty() {
        apt::install(&missing)?;
    }
    if command::on_path("bpf-linker") {
        return Ok(());
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut install = command::cargo(["install", "bpf-linker", "--locked"]);
    install
        .args(["--no-default-features", "--features", "llvm-22"])
        .env("LLVM_PREFIX", DEBIAN_LLVM)
        .env("PATH", format!("{DEBIAN_LLVM}/bin:{path}"));
    command::run(&mut install)
}

fn install_nightly() -> Result<()> {
    let mut toolchain = Command::new("rustup");
    toolchain.args(["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"]);
    command::run(&mut toolchain)?;
    if command::on_path("bpf-linker") {
        return Ok(());
    }
    command::run(&mut command::cargo(["install", "bpf-linker", "--locked"]))
}
