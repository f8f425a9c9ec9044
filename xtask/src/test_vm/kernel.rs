//! The kernel to boot: Debian's, unpacked below the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, workspace};

/// Depends on the newest cloud kernel of the Debian release.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// A kernel and the directory of its modules.
pub(super) struct GuestKernel {
    pub(super) release: String,
    pub(super) image: PathBuf,
    modules: PathBuf,
}

impl GuestKernel {
    /// The module at this path below the directory of modules; `None` if it is built into the
    /// kernel.
    pub(super) fn module(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let plain = self.modules.join(path);
        if plain.is_file() {
            return Ok(Some(std::fs::read(plain)?));
        }
        let packed = self.modules.join(format!("{path}.xz"));
        if !packed.is_file() {
            return Ok(None);
        }
        let output = Command::new("xz").arg("-dc").arg(&packed).output().context("cannot start xz")?;
        if !output.status.success() {
            bail!("{} cannot be unpacked", packed.display());
        }
        Ok(Some(output.stdout))
    }
}

/// Downloads the kernel unless it was downloaded before.
pub(super) fn fetch() -> Result<GuestKernel> {
    let package = newest()?;
    let directory = workspace::target()?.join("vm");
    std::fs::create_dir_all(&directory)?;
    if found(&directory, &package).is_none() {
        command::run(Command::new("apt-get").args(["download", &package]).current_dir(&directory))?;
    }
    unpack(&[found(&directory, &package).context("apt-get has downloaded another package")?])
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
    newest.map(str::to_owned).with_context(|| format!("apt-cache knows no package {META_PACKAGE}"))
}

fn found(directory: &Path, package: &str) -> Option<PathBuf> {
    let prefix = format!("{package}_");
    let mut files = directory.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.find(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(&prefix) && name.ends_with(".deb")
    })
}

/// Unpacks the packages of a kernel: newer ones have image and modules in separate packages.
pub(super) fn unpack(packages: &[PathBuf]) -> Result<GuestKernel> {
    let first = packages.first().and_then(|package| package.file_stem()).context("a package has a name")?;
    let root = workspace::target()?.join("vm").join(first);
    for package in packages {
        command::run(Command::new("dpkg").arg("-x").arg(package).arg(&root))?;
    }
    let modules = ["lib/modules", "usr/lib/modules"].map(|directory| root.join(directory));
    for entry in modules.iter().filter_map(|directory| directory.read_dir().ok()).flatten().flatten() {
        let release = entry.file_name().to_string_lossy().into_owned();
        let images = [root.join("boot").join(format!("vmlinuz-{release}")), entry.path().join("vmlinuz")];
        if let Some(image) = images.into_iter().find(|image| image.is_file()) {
            return Ok(GuestKernel { release, image, modules: entry.path() });
        }
    }
    bail!("there is no kernel with its modules in {}", root.display());
}
