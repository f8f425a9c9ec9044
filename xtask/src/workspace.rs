//! Paths: the checkout, and the programs that cargo builds from it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The host in all traffic of `pcap-replay generate`, as the agent's option `-H` takes it.
pub(crate) const GENERATED_HOST: &str = "192.0.2.0/28,2001:db8:53::/64";

/// The bundled capture, in the checkout: generated traffic.
pub(crate) const DEMO_CAPTURE: &str = "captures/demo.pcap";

/// The number of its packets.
pub(crate) const DEMO_PACKETS: u64 = 2700;

/// The checkout: the directory of the workspace's Cargo.toml.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The directory that cargo builds into. The user's configuration may move it, so it is derived
/// from the path of this program, `TARGET/debug/xtask`.
pub(crate) fn target() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the path of xtask itself")?;
    let target = program.parent().and_then(Path::parent);
    Ok(target
        .with_context(|| format!("{} does not lie in a target directory", program.display()))?
        .to_owned())
}

/// Where programs are that were built with `--release`.
pub(crate) fn release_directory() -> Result<PathBuf> {
    Ok(target()?.join("release"))
}

/// A program of this workspace built with `--release`.
pub(crate) fn release_binary(name: &str) -> Result<PathBuf> {
    Ok(release_directory()?.join(name))
}

/// `path` relative to the current directory, if it lies below it.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
