//! The Debian package: agent, terminal UI and the roll-up of archives, their documents, and the agent's systemd unit.
//!
//! Installing it starts nothing: attaching to an interface can interrupt its traffic for a moment, so the operator decides
//! when (`systemctl enable --now pktvisord`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::documents;
use crate::{command, workspace};

/// The programs in the package.
pub(crate) const PROGRAMS: &[&str] = &["pktvisord", "pktvisor", "pktvisor-archive"];

/// The first line of the description.
const SUMMARY: &str = "real-time summaries of packet streams, with a focus on DNS";

/// The programs that packing needs: parts of dpkg and dpkg-dev.
pub(crate) const TOOLS: &[&str] = &["dpkg", "dpkg-deb", "dpkg-shlibdeps"];

/// The scripts that dpkg runs, by the names that it gives them.
const SCRIPTS: &[(&str, &str)] = &[
    ("postinst", include_str!("../../../deploy/debian/postinst")),
    ("prerm", include_str!("../../../deploy/debian/prerm")),
    ("postrm", include_str!("../../../deploy/debian/postrm")),
];

/// Packs the programs of `directory`, whose documents lie beside them. Returns the package, which lies there too.
pub(crate) fn pack(directory: &Path) -> Result<PathBuf> {
    let tree = tempfile::tempdir().context("cannot create a temporary directory")?;
    // mktemp's directories are private, and the mode of this one becomes that of the installed `/`.
    fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755))?;
    install_programs(directory, tree.path())?;
    install_documents(directory, tree.path())?;
    install_service(tree.path())?;
    let architecture = printed(Command::new("dpkg").arg("--print-architecture"))?;
    control(tree.path(), &architecture)?;
    let package = directory.join(file_name(&architecture));
    command::run(
        Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(tree.path()).arg(&package),
    )?;
    Ok(package)
}

/// The packages that `package` depends on, without their versions.
pub(crate) fn depends(package: &Path) -> Result<Vec<String>> {
    let field = printed(Command::new("dpkg-deb").arg("--field").arg(package).arg("Depends"))?;
    let names = field.split(',').filter_map(|one| one.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}

/// The name of the package's file for an architecture, as Debian calls it.
fn file_name(architecture: &str) -> String {
    format!("pktvisor_{}_{architecture}.deb", env!("CARGO_PKG_VERSION"))
}

fn install_programs(directory: &Path, tree: &Path) -> Result<()> {
    for program in PROGRAMS {
        let from = directory.join(program);
        let to = tree.join("usr/bin").join(program);
        copy(&from, &to)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn install_documents(directory: &Path, tree: &Path) -> Result<()> {
    for program in PROGRAMS {
        let man = tree.join(format!("usr/share/man/man1/{program}.1"));
        copy(&directory.join(documents::man_page(program)), &man)?;
        command::run(Command::new("gzip").args(["--best", "--no-name"]).arg(&man))?;
        for (from, to) in [
            (documents::bash_completions(program), format!("bash-completion/completions/{program}")),
            (documents::fish_completions(program), format!("fish/vendor_completions.d/{program}.fish")),
            (documents::zsh_completions(program), format!("zsh/vendor-completions/_{program}")),
        ] {
            copy(&directory.join(from), &tree.join("usr/share").join(to))?;
        }
    }
    let documents = tree.join("usr/share/doc/pktvisor");
    copy(&workspace::root().join("LICENSE"), &documents.join("copyright"))?;
    copy(&workspace::root().join("README.md"), &documents.join("README.md"))?;
    copy(&workspace::root().join("CHANGELOG.md"), &documents.join("CHANGELOG.md"))
}

fn install_service(tree: &Path) -> Result<()> {
    let systemd = workspace::root().join("deploy/systemd");
    copy(&systemd.join("pktvisord.service"), &tree.join("usr/lib/systemd/system/pktvisord.service"))?;
    copy(&systemd.join("pktvisord.default"), &tree.join("etc/default/pktvisord"))
}

/// The description of the package, its configuration files and its scripts.
fn control(tree: &Path, architecture: &str) -> Result<()> {
    let debian = tree.join("DEBIAN");
    write(&debian.join("conffiles"), "/etc/default/pktvisord\n")?;
    for (name, text) in SCRIPTS {
        let script = debian.join(name);
        write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    }
    let text = format!(
        "Package: pktvisor\n\
         Version: {}\n\
         Architecture: {architecture}\n\
         Maintainer: The pktvisor developers\n\
         Section: net\n\
         Priority: optional\n\
         Depends: {}\n\
         Suggests: bash-completion\n\
         Description: {}\n \
         The agent pktvisord counts every packet of an interface or a capture file, analyses\n \
         its DNS, and serves the results over HTTP as JSON and for Prometheus. The terminal\n \
         UI pktvisor shows one agent or many, and pktvisor-archive merges the files that\n \
         agents archive. The service is installed but not started.\n",
        env!("CARGO_PKG_VERSION"),
        dependencies(tree)?,
        SUMMARY,
    );
    write(&debian.join("control"), &text)
}

/// The packages that have the libraries of the programs, with the versions that they need.
fn dependencies(tree: &Path) -> Result<String> {
    // dpkg-shlibdeps wants to be called where a source package lies.
    let source = tempfile::tempdir().context("cannot create a temporary directory")?;
    write(
        &source.path().join("debian/control"),
        "Source: pktvisor\n\nPackage: pktvisor\nArchitecture: any\n",
    )?;
    let mut shlibdeps = Command::new("dpkg-shlibdeps");
    shlibdeps.arg("-O").args(PROGRAMS.iter().map(|program| tree.join("usr/bin").join(program)));
    let printed = printed(shlibdeps.current_dir(source.path()))?;
    let depends = printed.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    depends.map(str::to_owned).with_context(|| format!("dpkg-shlibdeps printed `{printed}`"))
}

/// What a command prints, without the end of the line.
fn printed(command: &mut Command) -> Result<String> {
    Ok(command::output(command)?.trim_end().to_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    create_parent(to)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn write(to: &Path, text: &str) -> Result<()> {
    create_parent(to)?;
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))
}

fn create_parent(of: &Path) -> Result<()> {
    let parent = of.parent().unwrap_or(of);
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))
}
