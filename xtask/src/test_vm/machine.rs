//! The virtual machine: QEMU, with a serial line as its only output.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::tool;

const QEMU: &str = "qemu-system-x86_64";

/// Two network interfaces with a cable between them that leads nowhere else. Their driver supports
/// AF_XDP without copying only if it may map memory itself.
const CABLE: &[&str] = &[
    "-netdev",
    "hubport,id=end0,hubid=0",
    "-device",
    "virtio-net-pci,netdev=end0,disable-legacy=on,iommu_platform=on,romfile=",
    "-netdev",
    "hubport,id=end1,hubid=0",
    "-device",
    "virtio-net-pci,netdev=end1,disable-legacy=on,iommu_platform=on,romfile=",
];

/// The tools for booting that are missing here.
pub(super) fn missing() -> Option<String> {
    if cfg!(not(target_arch = "x86_64")) {
        return Some("the kernel to boot is one for x86-64".to_owned());
    }
    tool(QEMU).is_none().then(|| format!("there is no {QEMU} (cargo xtask setup installs it)"))
}

/// How the machine executes instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accelerator {
    /// By the processor (KVM).
    Kvm,
    /// By translation, which is at least ten times slower.
    Tcg,
}

impl Accelerator {
    /// The faster one that works. QEMU cannot use a KVM without the processor's support, which
    /// virtual machines may have.
    pub(super) fn best() -> Self {
        let has_module =
            ["kvm_intel", "kvm_amd"].iter().any(|name| Path::new("/sys/module").join(name).exists());
        match std::fs::File::options().read(true).write(true).open("/dev/kvm") {
            Ok(_) if has_module => Self::Kvm,
            _ => Self::Tcg,
        }
    }

    fn words(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Tcg => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }
}

/// The kernel and image to boot.
pub(super) struct Machine<'a> {
    pub(super) kernel: &'a Path,
    pub(super) archive: &'a Path,
    /// The machine is stopped after this time.
    pub(super) at_most: Duration,
}

impl Machine<'_> {
    /// Boots, passes on each line of the serial console, and returns when the machine has turned
    /// itself off.
    pub(super) fn boot(&self, accelerator: Accelerator, mut on_line: impl FnMut(&str)) -> Result<()> {
        let mut qemu = Command::new(tool(QEMU).context("there is no QEMU")?);
        qemu.args(accelerator.words())
            .args(["-m", "2048", "-smp", "2", "-nodefaults", "-no-reboot", "-display", "none"])
            .args(CABLE)
            .args(["-serial", "stdio", "-append", "console=ttyS0 quiet panic=-1 mitigations=off", "-kernel"])
            .arg(self.kernel)
            .arg("-initrd")
            .arg(self.archive)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut machine = qemu.spawn().context("cannot start QEMU")?;
        let console = machine.stdout.take().context("the console is a pipe")?;
        let (sender, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    return;
                }
            }
        });
        let deadline = Instant::now() + self.at_most;
        let ended = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => on_line(&line),
                Err(RecvTimeoutError::Disconnected) => break true,
                Err(RecvTimeoutError::Timeout) => break false,
            }
        };
        if !ended {
            // It may have ended by itself.
            let _ = machine.kill();
        }
        let status = machine.wait().context("cannot wait for QEMU")?;
        let _ = reader.join();
        match (ended, status.success()) {
            (true, true) => Ok(()),
            (true, false) => bail!("QEMU failed ({status})"),
            (false, _) => bail!("the virtual machine was not done after {} s", self.at_most.as_secs()),
        }
    }
}
