//! `cargo xtask test-fresh`: the commands of the README on a machine where nothing was prepared.
//!
//! A development machine has packages that a user's machine lacks. The test therefore makes a [`BareRoot`], brings the Rust
//! toolchain, the C compiler that the README asks for, and the checkout, and types what the README says: first as an
//! ordinary user, who has to get a line that root can paste, then as root. At last it builds the container image and runs
//! it, as [`test_image`] does.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use testbed::Process;

use crate::bare_root::{self, BareRoot, Release};
use crate::steps::{StepOutcome, Steps};
use crate::workspace::DEMO_PACKETS;
use crate::{command, http, test_image, workspace};

/// What the README asks for, and the certificates without which no Rust toolchain could have been downloaded.
const PREPARED: &[&str] = &["build-essential", "ca-certificates"];

/// The bundle of these certificates, here and in the root. A machine may trust more than Debian does.
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Where the toolchain and the checkout are in the root.
const TOOLCHAIN: &str = "/opt/rust";
const CHECKOUT: &str = "/home/newcomer/pktvisor";

/// The home directory of the user, whose name is `newcomer`, and of cargo. Root uses it too, as with `sudo --preserve-env`.
const HOME: &str = "/home/newcomer";
const USER: u32 = 1000;

/// Where `cargo xtask run` serves.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 10853);

/// Longest time of `cargo xtask run` until it serves: it builds everything, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Enters the root ($1) with a /proc and a /dev, and the toolchain ($2) in it, and runs the rest as a command of a user
/// ($3). Made for `unshare --mount`, whose mounts end with the command.
const ENTER: &str = "\
root=$1; toolchain=$2; user=$3; shift 3
mount -t proc proc \"$root/proc\"
mount --rbind /dev \"$root/dev\"
mount --rbind /sys \"$root/sys\"
mount -t tmpfs tmpfs \"$root/run\"
mount --bind \"$toolchain\" \"$root/opt/rust\"
mount -o remount,bind,ro \"$root/opt/rust\"
exec chroot --userspec=\"$user\" \"$root\" \"$@\"";

#[derive(clap::Args)]
pub(crate) struct TestFreshArguments {
    /// Code name of a release of Debian or Ubuntu, such as trixie or noble [default: this machine's]
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// Compile without optimisation, in a third of the time: the commands and the packages are the same
    #[arg(long)]
    quick: bool,
    /// Also run the README's second command, `cargo xtask test`, which takes about an hour
    #[arg(long, conflicts_with = "quick")]
    whole: bool,
    /// Run the README's first command in this checkout, on a machine where nothing was prepared
    #[arg(long, exclusive = true)]
    here: bool,
}

/// How the programs are compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Optimisation {
    /// As a newcomer compiles them.
    Full,
    /// Not at all. The programs are larger and slower.
    None,
}

/// What turns it off, also in the linker of the kernel programs. Those themselves are always optimised.
const WITHOUT_OPTIMISATION: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "none"),
];

/// The subcommand.
pub(crate) fn run(arguments: &TestFreshArguments) -> Result<()> {
    if arguments.here {
        return run_here();
    }
    let release = match &arguments.release {
        Some(codename) => Release::from(codename.as_str()),
        None => Release::of_this_machine()?,
    };
    if let Some(reason) = obstacle().or_else(|| release.obstacle()) {
        println!("skipped: {reason}");
        return Ok(());
    }
    let mut steps = Steps::default();
    let mut machine = None;
    steps.run("a bare system", || {
        let optimisation = if arguments.quick { Optimisation::None } else { Optimisation::Full };
        let prepared: Vec<String> = PREPARED.iter().map(|package| (*package).to_owned()).collect();
        match BareRoot::make(&release, &prepared) {
            Ok(root) => {
                machine = Some(FreshMachine::new(root, optimisation)?);
                Ok(StepOutcome::Passed)
            }
            Err(error) => Ok(StepOutcome::Skipped(format!("no bare {release} can be made here: {error:#}"))),
        }
    });
    if let Some(machine) = machine {
        steps.run("cargo xtask run, without root", || {
            machine.refuse_without_root().map(|()| StepOutcome::Passed)
        });
        steps.run("cargo xtask run", || machine.run_demo().map(|()| StepOutcome::Passed));
        if arguments.whole {
            steps.run("cargo xtask test", || machine.test());
        }
    }
    test_image::add_steps(&mut steps);
    println!("\n{release}\n{}", steps.summary());
    ensure!(steps.all_passed(), "the README's commands or the image fail on a bare {release}");
    Ok(())
}

/// Runs the README's first command in this checkout.
fn run_here() -> Result<()> {
    if let Some(reason) = port_obstacle() {
        println!("skipped: {reason}");
        return Ok(());
    }
    let log = workspace::target()?.join("run.log");
    let mut run = command::cargo(["xtask", "run"]);
    let mut show = Command::new(workspace::release_binary("pktvisor")?);
    try_demo(run.stdin(Stdio::null()), show.arg("--once"), &log)
}

/// Why the test cannot run here, in words.
fn obstacle() -> Option<String> {
    if let Some(reason) = bare_root::obstacle() {
        return Some(reason);
    }
    if let Some(program) = ["unshare", "tar"].into_iter().find(|program| !command::on_path(program)) {
        return Some(format!("there is no {program}"));
    }
    port_obstacle()
}

fn port_obstacle() -> Option<String> {
    let is_taken = std::net::TcpListener::bind(SERVER).is_err();
    is_taken.then(|| format!("{SERVER}, where `cargo xtask run` serves, is in use"))
}

/// Starts `cargo xtask run`, which builds and serves the bundled capture, looks at what it serves with `show`, the
/// terminal UI, and ends it. `log` gets its output.
fn try_demo(run: &mut Command, show: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut demo = Process::spawn(run.stdout(file.try_clone()?).stderr(file));
    let started = Instant::now();
    let answer = loop {
        if let Ok(answer) = http::get(SERVER, "/api/v1/metrics/window/5", None) {
            break answer;
        }
        if let Some(status) = demo.child().try_wait().context("cannot wait for the command")? {
            bail!("it ended ({status}): {}", tail(log));
        }
        ensure!(started.elapsed() < PATIENCE, "it does not serve after {PATIENCE:?}: {}", tail(log));
        thread::sleep(Duration::from_millis(500));
    };
    let document: serde_json::Value =
        serde_json::from_slice(&answer.body).context("the answer is not JSON")?;
    let packets = document["5m"]["packets"]["total"].as_u64();
    ensure!(packets == Some(DEMO_PACKETS), "it serves {packets:?} packets: {document}");
    // Thousands have a comma.
    let shown = command::output(show)?.replace(',', "");
    ensure!(shown.contains(&format!(" {DEMO_PACKETS} ")), "the terminal UI shows other numbers: {shown}");
    println!("it serves {DEMO_PACKETS} packets after {} s", started.elapsed().as_secs());
    Ok(())
}

/// A bare system with the toolchain and the checkout.
struct FreshMachine {
    root: BareRoot,
    toolchain: PathBuf,
    optimisation: Optimisation,
}

impl FreshMachine {
    fn new(root: BareRoot, optimisation: Optimisation) -> Result<Self> {
        for directory in [TOOLCHAIN, CHECKOUT] {
            let path = root.path().join(directory.trim_start_matches('/'));
            fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        }
        for file in ["etc/resolv.conf", CERTIFICATES] {
            let from = PathBuf::from("/").join(file);
            fs::copy(&from, root.path().join(file))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        let mut rustc = Command::new("rustc");
        let toolchain = command::output(rustc.args(["--print", "sysroot"]).current_dir(workspace::root()))?;
        let machine = Self { root, toolchain: toolchain.trim().into(), optimisation };
        // The lists of debootstrap lack the updates, which those of an installed system have.
        command::run(&mut machine.root.command("apt-get", &["update"]))?;
        machine.copy_checkout()?;
        command::run(&mut machine.root.command("chown", &["-R", &USER.to_string(), HOME]))?;
        Ok(machine)
    }

    /// Copies the checkout without what was built from it.
    fn copy_checkout(&self) -> Result<()> {
        let mut tar = Command::new("tar");
        tar.args(["--create", "--exclude=./target", "--exclude=./pktvisor-ebpf/target", "--exclude=./.git"]);
        tar.arg(".").current_dir(workspace::root()).stdout(Stdio::piped());
        let mut from = tar.spawn().context("cannot start tar")?;
        let stream = from.stdout.take().context("tar has no output")?;
        let target = self.root.path().join(CHECKOUT.trim_start_matches('/'));
        command::run(Command::new("tar").args(["--extract", "--directory"]).arg(target).stdin(stream))?;
        let status = from.wait().context("cannot wait for tar")?;
        ensure!(status.success(), "tar failed ({status})");
        Ok(())
    }

    /// A command in the checkout, as root or as the user.
    fn command(&self, user: u32, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh"]);
        command.arg(self.root.path()).arg(&self.toolchain).arg(format!("{user}:{user}"));
        command.args(["sh", "-euc", &format!("cd {CHECKOUT} && exec \"$@\""), "sh"]).args(words);
        bare_root::with_environment(
            &mut command,
            &format!("{TOOLCHAIN}/bin:{HOME}/.cargo/bin:{}", bare_root::PATH),
        );
        command.env("HOME", HOME);
        // An idle machine's memory and a container's limits say nothing about the README.
        command.env("CARGO_INCREMENTAL", "0");
        if self.optimisation == Optimisation::None {
            command.envs(WITHOUT_OPTIMISATION.iter().copied());
        }
        command
    }

    /// Without root nothing can be installed. The user gets one line to paste, and it works.
    fn refuse_without_root(&self) -> Result<()> {
        let output = self
            .command(USER, &["cargo", "xtask", "run"])
            .output()
            .context("cannot start the command of a user without root")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "it succeeds without packages: {said}");
        let lines: Vec<&str> = said.lines().filter(|line| line.contains("apt-get")).collect();
        let [line] = lines[..] else { bail!("it prints {} lines with apt-get: {said}", lines.len()) };
        println!("{line}");
        let (_, request) =
            line.split_once("please run: ").with_context(|| format!("no request in {line}"))?;
        // Root needs no sudo, and apt-get need not ask.
        let request = request.replace("sudo ", "").replace("apt-get install", "apt-get install --simulate");
        let simulated = self.root.output("sh", &["-euc", &request])?;
        let kernel =
            self.root.output("apt-cache", &["search", "--names-only", "^libstd-rust-web-dev-bpf$"])?;
        for package in ["libpcap-dev", "libxdp-dev"].into_iter().chain(kernel.split_whitespace().next()) {
            ensure!(simulated.contains(&format!("Inst {package} ")), "{package} is not in it: {simulated}");
        }
        Ok(())
    }

    /// As root: it installs, builds, and serves the bundled capture.
    fn run_demo(&self) -> Result<()> {
        let log = self.root.path().join("run.log");
        // Its end, also that of this program, kills the first process of its PID namespace, and thereby all others.
        let mut run = self.command(0, &["cargo", "xtask", "run"]);
        let mut show = self.command(0, &["target/release/pktvisor", "--once"]);
        try_demo(&mut run, &mut show, &log)?;
        let object = "pktvisor-ebpf/target/bpfel-unknown-none/release/pktvisor-ebpf";
        let kernel = self.root.path().join(CHECKOUT.trim_start_matches('/')).join(object).exists();
        println!("{} kernel programs", if kernel { "with" } else { "without" });
        Ok(())
    }

    /// The README's second command.
    fn test(&self) -> Result<StepOutcome> {
        command::run(&mut self.command(0, &["cargo", "xtask", "test"]))?;
        Ok(StepOutcome::Passed)
    }
}

/// The end of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
