//! An older kernel: Debian's, unpacked below the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, workspace};

/// Stands for the newest cloud kernel of the Debian release.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// A kernel and the directory of its modules.
pub(super) struct Kernel {
    pub(super) release: String,
    pub(super) image: PathBuf,
    pub(super) modules: PathBuf,
}

/// Downloads the kernel, unless it has been before.
pub(super) fn fetch() -> Result<Kernel> {
    let package = newest()?;
    let directory = workspace::target()?.join("vm");
    std::fs::create_dir_all(&directory)?;
    if let Some(downloaded) = found(&directory, &package) {
        return unpack(&downloaded);
    }
    command::run(Command::new("apt-get").args(["download", &package]).current_dir(&directory))?;
    unpack(&found(&directory, &package).context("apt-get has downloaded something else")?)
}

/// The package that [`META_PACKAGE`] depends on.
fn newest() -> Result<String> {
    let output = Command::new("apt-cache")
        .args(["depends", META_PACKAGE])
        .output()
        .context("cannot start apt-cache")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let depended = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    let newest = depended.map(str::trim).find(|package| package.starts_with("linux-image-"));
    newest.map(str::to_owned).with_context(|| format!("no package {META_PACKAGE} is known"))
}

fn found(directory: &Path, package: &str) -> Option<PathBuf> {
    let prefix = format!("{package}_");
    let mut files = directory.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.find(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(&prefix) && name.ends_with(".deb")
    })
}

/// Unpacks a kernel package, unless it has been before.
pub(super) fn unpack(package: &Path) -> Result<Kernel> {
    let name = package.file_stem().context("a package has a name")?;
    let root = workspace::target()?.join("vm").join(name);
    if !root.join("boot").is_dir() {
        command::run(Command::new("dpkg").arg("-x").arg(package).arg(&root))?;
    }
    let images =
        root.join("boot").read_dir().with_context(|| format!("no kernel in {}", package.display()))?;
    for image in images.flatten() {
        let name = image.file_name().to_string_lossy().into_owned();
        if let Some(release) = name.strip_prefix("vmlinuz-") {
            let modules = root.join("lib/modules").join(release);
            return Ok(Kernel { release: release.to_owned(), image: image.path(), modules });
        }
    }
    bail!("no kernel in {}", package.display());
}
