//! The content of the virtual machine's memory: test programs, the agent, tools, and a script that
//! runs them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::archive::Archive;
use super::kernel::GuestKernel;
use super::tool;
use crate::{command, workspace};

/// A test program of the agent, and its tests of the kernel.
pub(super) struct GuestProgram {
    /// Cargo's name of it.
    target: &'static str,
    tests: &'static str,
    /// The most important of these, for machines that emulate every instruction.
    quick: &'static str,
}

/// In this order.
pub(super) const PROGRAMS: &[GuestProgram] = &[
    GuestProgram { target: "tests/kernel/main.rs", tests: "", quick: "verifier::" },
    GuestProgram {
        target: "unittests src/lib.rs",
        tests: "--skip privileges::",
        quick: "clsact:: filter::tests::live::",
    },
    GuestProgram { target: "tests/virtual_machine/main.rs", tests: "", quick: "" },
];

/// Which tests to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    All,
    Quick,
}

/// Tools of the tests that BusyBox lacks.
const TOOLS: &[&str] = &["ip", "tc", "ethtool"];

/// In the order in which they depend on one another. A kernel may have any of them built in.
const MODULES: &[&str] = &[
    "kernel/drivers/virtio/virtio_ring.ko",
    "kernel/drivers/virtio/virtio.ko",
    "kernel/drivers/virtio/virtio_pci_legacy_dev.ko",
    "kernel/drivers/virtio/virtio_pci_modern_dev.ko",
    "kernel/drivers/virtio/virtio_pci.ko",
    "kernel/net/core/failover.ko",
    "kernel/drivers/net/net_failover.ko",
    "kernel/drivers/net/virtio_net.ko",
    "kernel/drivers/net/veth.ko",
    "kernel/drivers/net/tun.ko",
    "kernel/net/sched/sch_ingress.ko",
    "kernel/net/sched/cls_bpf.ko",
];

/// The script prints this at the end of a program, with its exit status.
const END: &str = "test program ended with status ";

/// The tools for every image that are missing here.
pub(super) fn missing() -> Option<String> {
    let absent = ["busybox", "ldd", "strip"].iter().chain(TOOLS).find(|name| tool(name).is_none());
    absent.map(|name| format!("there is no program {name} (cargo xtask setup installs it)"))
}

/// The exit status of a test program, if the line contains one.
pub(super) fn status(line: &str) -> Option<i32> {
    line.trim_end().strip_prefix(END)?.parse().ok()
}

/// Builds the test programs and packs them.
pub(super) fn build(kernel: &GuestKernel, selection: Selection) -> Result<PathBuf> {
    let programs = test_programs()?;
    let mut files = Files::default();
    let busybox = tool("busybox").context("there is no busybox")?;
    if !libraries(&busybox)?.is_empty() {
        bail!("{} is not static: install busybox-static", busybox.display());
    }
    files.archive.file(Path::new("/bin/busybox"), &std::fs::read(busybox)?);
    for name in TOOLS {
        let path = tool(name).with_context(|| format!("there is no {name}"))?;
        files.program(&path, &Path::new("/usr/sbin").join(name))?;
    }
    // The agent lies beside the directory of the test programs, where they expect it.
    let agent = programs[0].parent().and_then(Path::parent).map(|debug| debug.join("pktvisord"));
    for program in programs.iter().chain(&agent) {
        files.program(program, program)?;
    }
    for path in files_below(&workspace::root().join("captures"))? {
        let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.archive.file(&path, &content);
    }
    let mut insert = String::new();
    for module in MODULES {
        let path = Path::new("/modules").join(module);
        let Some(content) = kernel.module(module)? else { continue };
        files.archive.file(&path, &content);
        let _ = writeln!(insert, "insmod {}", path.display());
    }
    // Tests find the captures above this directory.
    for tested in ["pktvisor-agent", "pktvisor-capture"] {
        files.archive.directory(&workspace::root().join(tested));
    }
    files.archive.console();
    files.archive.file(Path::new("/init"), script(&programs, &insert, selection).as_bytes());
    let image = workspace::target()?.join("vm/initramfs.cpio");
    std::fs::write(&image, files.archive.finish())
        .with_context(|| format!("cannot write {}", image.display()))?;
    Ok(image)
}

/// The first process.
fn script(programs: &[PathBuf], insert_modules: &str, selection: Selection) -> String {
    let mut script = format!(
        "#!/bin/busybox sh\n\
         export PATH=/usr/sbin:/bin HOME=/tmp RUST_TEST_THREADS=1 PKTVISOR_TEST_PACKETS=300\n\
         export PKTVISOR_TEST_CABLE='eth0 eth1'\n\
         /bin/busybox --install -s /bin\n\
         mkdir -p /proc /sys /tmp /run /sys/fs/bpf\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sysfs /sys\n\
         mount -t devtmpfs devtmpfs /dev\n\
         mount -t tmpfs tmpfs /run\n\
         mount -t bpf bpf /sys/fs/bpf\n\
         {insert_modules}\
         ip link set lo up\n\
         uname -sr\n"
    );
    let directory = workspace::root().join("pktvisor-agent");
    let _ = writeln!(script, "cd {}", directory.display());
    for (program, path) in PROGRAMS.iter().zip(programs) {
        let tests = match selection {
            Selection::All => program.tests,
            Selection::Quick => program.quick,
        };
        let _ = writeln!(script, "echo; echo '== {} {tests}'", program.target);
        let _ = writeln!(script, "{} {tests} 2>&1", path.display());
        let _ = writeln!(script, "echo \"{END}$?\"");
    }
    script + "poweroff -f\n"
}

/// Builds the programs of [`PROGRAMS`] and returns their paths.
fn test_programs() -> Result<Vec<PathBuf>> {
    let agent = ["-p", "pktvisor-agent", "--test", "kernel", "--test", "virtual_machine"];
    let text = build_tests(&["-p", "pktvisor-capture", "--lib"])? + &build_tests(&agent)?;
    let path = |program: &GuestProgram| {
        // `  Executable tests/kernel/main.rs (target/debug/deps/kernel-0123456789abcdef)`
        let beginning = format!("Executable {} (", program.target);
        let line = text.lines().find_map(|line| line.trim().strip_prefix(&beginning));
        let path = line.and_then(|rest| rest.strip_suffix(')'));
        let path =
            path.with_context(|| format!("cargo does not print the path of {}:\n{text}", program.target))?;
        Ok(workspace::root().join(path))
    };
    PROGRAMS.iter().map(path).collect()
}

/// Builds tests and returns cargo's messages.
fn build_tests(tests: &[&str]) -> Result<String> {
    let mut cargo = command::cargo(["test", "--no-run"]);
    cargo.args(tests);
    println!("$ {}", command::line(&cargo));
    let output = cargo.env("CARGO_TERM_COLOR", "never").output().context("cannot start cargo")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("the tests cannot be built:\n{text}");
    }
    Ok(text)
}

/// Programs with their libraries.
#[derive(Default)]
struct Files {
    archive: Archive,
    libraries: BTreeSet<PathBuf>,
}

impl Files {
    /// Adds a program without its symbols, which are most of its size.
    fn program(&mut self, from: &Path, to: &Path) -> Result<()> {
        let stripped = workspace::target()?.join("vm/stripped");
        let mut strip = Command::new("strip");
        if !command::succeeds(strip.arg("-o").arg(&stripped).arg(from)) {
            bail!("cannot strip {}", from.display());
        }
        self.archive.file(to, &std::fs::read(&stripped)?);
        for library in libraries(from)? {
            if self.libraries.insert(library.clone()) {
                let content = std::fs::read(&library);
                self.archive.file(&library, &content.with_context(|| format!("no {}", library.display()))?);
            }
        }
        Ok(())
    }
}

/// The files in a directory and in those below it.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read the directory {}", directory.display());
    let mut files = Vec::new();
    for entry in directory.read_dir().with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The dynamic linker and the libraries that it would load.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().context("cannot start ldd")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths = text.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    Ok(paths.map(PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_in_folders_go_into_the_image_too() {
        let files = files_below(&workspace::root().join("captures")).expect("the bundled captures");
        let has = |end: &str| files.iter().any(|file| file.ends_with(end));
        assert!(has("captures/demo.pcap") && has("captures/faults/asn-u16.mmdb"), "{files:?}");
        assert!(files.iter().all(|file| file.is_file()), "{files:?}");
        assert!(files_below(Path::new("/nowhere")).is_err());
    }
}
