//! Installs programs from the npm registry that tests run, in the target directory.
//!
//! npm itself is not installed: Debian's brings hundreds of packages. Tests that need a program find it in the target
//! directory and are skipped without it, so a failure here is only a line of warning.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{command, workspace};

const PACKAGE: &str = "azurite";
const VERSION: &str = "3.35.0";

/// Installs what is missing; never fails.
pub(crate) fn ensure() {
    if let Err(error) = install_missing() {
        let reason = format!("{error:#}").replace('\n', " ");
        eprintln!("warning: tests of programs from npm will be skipped: {reason}");
    }
}

fn install_missing() -> Result<()> {
    let directory = workspace::target()?.join("node");
    if directory.join("node_modules").join(PACKAGE).is_dir() {
        return Ok(());
    }
    if !command::on_path("npm") {
        println!(
            "left out: {PACKAGE} (is the Azure of the tests of the archive), which needs npm; its tests are skipped"
        );
        return Ok(());
    }
    println!("missing: {PACKAGE} (is the Azure of the tests of the archive)");
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix"]);
    command::run(install.arg(&directory).arg(format!("{PACKAGE}@{VERSION}")))
}
