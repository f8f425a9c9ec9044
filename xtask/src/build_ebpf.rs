//! `cargo xtask build-ebpf`: builds the kernel programs with an installed compiler for BPF.
//!
//! The `core` library for BPF comes with a compiler (Debian's rustc-web), or a nightly toolchain
//! builds it from source. Both need bpf-linker.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{command, workspace};

/// The compiler of Debian's package rustc-web; it does not affect rustup's toolchains.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The package's manifest, from the root of the checkout: it is not a member of the workspace.
pub(crate) const MANIFEST: &str = "pktvisor-ebpf/Cargo.toml";

const WHAT_TO_INSTALL: &str = "\
either: rustup toolchain install nightly --component rust-src
        cargo install bpf-linker --locked
or, on Debian: apt-get install rustc-web libstd-rust-web-dev-bpf llvm-22-dev libpolly-22-dev
        LLVM_PREFIX=/usr/lib/llvm-22 PATH=/usr/lib/llvm-22/bin:$PATH \\
        cargo install bpf-linker --locked --no-default-features --features llvm-22";

#[derive(clap::Args)]
pub(crate) struct BuildEbpfArguments {
    /// For big-endian machines (s390x); the other byte order otherwise
    #[arg(long)]
    big_endian: bool,
    /// Build programs that log every packet, for debugging; the agent logs it at level debug
    #[arg(long)]
    log: bool,
}

/// Builds the object file and prints its path.
pub(crate) fn run(arguments: &BuildEbpfArguments) -> Result<()> {
    let object = build(arguments)?;
    println!("built {}", workspace::shown(&object));
    Ok(())
}

/// Whether compiler and linker for this machine's byte order are installed.
pub(crate) fn can_build() -> bool {
    BpfCompiler::find(target(cfg!(target_endian = "big"))).is_some() && command::on_path("bpf-linker")
}

/// Builds the object that the agent built for this machine embeds, if there is a compiler for it.
pub(crate) fn build_if_possible() -> Result<Option<PathBuf>> {
    if !can_build() {
        return Ok(None);
    }
    build_for_this_machine().map(Some)
}

/// Builds the object that the agent built for this machine embeds.
pub(crate) fn build_for_this_machine() -> Result<PathBuf> {
    build(&BuildEbpfArguments { big_endian: cfg!(target_endian = "big"), log: false })
}

fn target(big_endian: bool) -> &'static str {
    if big_endian { "bpfeb-unknown-none" } else { "bpfel-unknown-none" }
}

/// Builds the object file and returns its path.
fn build(arguments: &BuildEbpfArguments) -> Result<PathBuf> {
    let target = target(arguments.big_endian);
    let Some(compiler) = BpfCompiler::find(target) else {
        bail!("there is no Rust compiler for {target}; please install\n{WHAT_TO_INSTALL}");
    };
    if !command::on_path("bpf-linker") {
        bail!("there is no bpf-linker in PATH; please install\n{WHAT_TO_INSTALL}");
    }
    let package = workspace::root().join("pktvisor-ebpf");
    let output = package.join("target");
    let mut cargo = compiler.cargo();
    cargo
        .args(["build", "--locked", "--release", "--target", target, "--target-dir"])
        .arg(&output)
        .current_dir(&package)
        // Flags for the host would replace the flags in the package's own configuration.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET");
    // The kernel refuses programs that are not optimised, so the profile of the other programs does not apply.
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PROFILE_"))
    {
        cargo.env_remove(name);
    }
    if arguments.log {
        cargo.args(["--features", "log"]);
    }
    command::run(&mut cargo)?;
    Ok(output.join(target).join("release/pktvisor-ebpf"))
}

/// Clippy over the kernel programs. They are checked as if built for this machine, because the
/// compiler with a `core` for BPF may come without clippy; the lints see the same code.
pub(crate) fn lint() -> Command {
    let mut clippy = command::cargo(["clippy", "--locked", "--all-features", "--quiet"]);
    clippy
        .args(["--manifest-path", MANIFEST, "--", "--deny", "warnings"])
        // aya-ebpf uses features that a stable compiler has only behind this switch.
        .env("RUSTC_BOOTSTRAP", "1");
    clippy
}

enum BpfCompiler {
    /// Comes with `core`.
    Debian,
    /// Builds `core` from source.
    Nightly,
}

impl BpfCompiler {
    fn find(target: &str) -> Option<Self> {
        if has_core(target) {
            Some(Self::Debian)
        } else if nightly_has_source() {
            Some(Self::Nightly)
        } else {
            None
        }
    }

    fn cargo(&self) -> Command {
        match self {
            Self::Debian => {
                let mut cargo = command::cargo::<&str>([]);
                // aya-ebpf uses features that a stable compiler has only behind this switch.
                cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTC_WRAPPER");
                cargo
            }
            Self::Nightly => {
                let mut cargo = Command::new("rustup");
                cargo.args(["run", "nightly", "cargo", "-Zbuild-std=core"]).env_remove("RUSTC");
                cargo
            }
        }
    }
}

fn has_core(target: &str) -> bool {
    let mut rustc = Command::new(DEBIAN_RUSTC);
    let Some(directory) = path_printed_by(rustc.args(["--print", "target-libdir", "--target", target]))
    else {
        return false;
    };
    let Ok(files) = directory.read_dir() else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
}

fn nightly_has_source() -> bool {
    let mut rustc = Command::new("rustup");
    path_printed_by(rustc.args(["run", "nightly", "rustc", "--print", "sysroot"]))
        .is_some_and(|sysroot| sysroot.join("lib/rustlib/src/rust/library/core").is_dir())
}

fn path_printed_by(command: &mut Command) -> Option<PathBuf> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(Path::new(std::str::from_utf8(&output.stdout).ok()?.trim()).to_owned())
}
