//! `cargo xtask setup`: installs the packages that the build and the tests need.

use std::process::Command;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::{apt, bpf_toolchain, command, dependencies, node_tools, python_tools};

/// The purpose of a package. Each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum SetupLevel {
    /// `cargo build`
    Build,
    /// `cargo xtask test`
    Test,
    /// `cargo xtask bench`
    Bench,
}

/// A sign that a package's contents are installed, also from elsewhere.
enum Probe {
    /// A program on PATH.
    Program(&'static str),
    /// A library that pkg-config knows.
    Library(&'static str),
    /// A module of the system's Python.
    PythonModule(&'static str),
}

/// One Debian package.
struct Package {
    name: &'static str,
    probe: Probe,
    need: SetupLevel,
    reason: &'static str,
}

/// All packages that do not come from crates.io.
const PACKAGES: &[Package] = &[
    Package {
        name: "build-essential",
        probe: Probe::Program("cc"),
        need: SetupLevel::Build,
        reason: "links every program and compiles zstd",
    },
    // Part of build-essential, and missing if only a C compiler was installed, as in Rust's slim
    // images.
    Package {
        name: "make",
        probe: Probe::Program("make"),
        need: SetupLevel::Build,
        reason: "builds the libbpf that libxdp is linked with",
    },
    Package {
        name: "pkg-config",
        probe: Probe::Program("pkg-config"),
        need: SetupLevel::Build,
        reason: "finds the libraries below",
    },
    Package {
        name: "libpcap-dev",
        probe: Probe::Library("libpcap"),
        need: SetupLevel::Build,
        reason: "compiles filter expressions (-b)",
    },
    Package {
        name: "clang",
        probe: Probe::Program("clang"),
        need: SetupLevel::Build,
        reason: "compiles the part of libxdp that runs in the kernel",
    },
    Package {
        name: "llvm",
        probe: Probe::Program("llc"),
        need: SetupLevel::Build,
        reason: "has the llc that translates that part",
    },
    Package {
        name: "m4",
        probe: Probe::Program("m4"),
        need: SetupLevel::Build,
        reason: "is called by the build of libxdp",
    },
    Package {
        name: "libelf-dev",
        probe: Probe::Library("libelf"),
        need: SetupLevel::Build,
        reason: "is used by libbpf",
    },
    Package {
        name: "zlib1g-dev",
        probe: Probe::Library("zlib"),
        need: SetupLevel::Build,
        reason: "is used by libelf",
    },
    Package {
        name: "libbpf-dev",
        probe: Probe::Library("libbpf"),
        need: SetupLevel::Build,
        reason: "is used by libxdp",
    },
    Package {
        name: "libxdp-dev",
        probe: Probe::Library("libxdp"),
        need: SetupLevel::Build,
        reason: "sets up AF_XDP sockets (--mode tap)",
    },
    Package {
        name: "tmux",
        probe: Probe::Program("tmux"),
        need: SetupLevel::Test,
        reason: "is the terminal that the UI is tested in",
    },
    Package {
        name: "python3",
        probe: Probe::Program("python3"),
        need: SetupLevel::Test,
        reason: "runs the comparison with real captures",
    },
    Package {
        name: "python3-venv",
        probe: Probe::PythonModule("ensurepip"),
        need: SetupLevel::Test,
        reason: "makes the environment for the programs of tests that come from PyPI",
    },
    Package {
        name: "iproute2",
        probe: Probe::Program("ip"),
        need: SetupLevel::Test,
        reason: "makes the network namespaces of the tests of live capture",
    },
    Package {
        name: "ethtool",
        probe: Probe::Program("ethtool"),
        need: SetupLevel::Test,
        reason: "turns the offloads of their interfaces off",
    },
    Package {
        name: "bpftool",
        probe: Probe::Program("bpftool"),
        need: SetupLevel::Test,
        reason: "shows whether a killed agent left kernel programs behind",
    },
    Package {
        name: "knot",
        probe: Probe::Program("knotd"),
        need: SetupLevel::Test,
        reason: "is the name server that the agent watches (its service is not needed: systemctl disable --now knot)",
    },
    Package {
        name: "unbound",
        probe: Probe::Program("unbound"),
        need: SetupLevel::Test,
        reason: "is the resolver of the scenarios (its service is not needed: systemctl disable --now unbound)",
    },
    Package {
        name: "dnsperf",
        probe: Probe::Program("dnsperf"),
        need: SetupLevel::Test,
        reason: "asks it, and counts by itself what the agent has to count",
    },
    Package {
        name: "iperf3",
        probe: Probe::Program("iperf3"),
        need: SetupLevel::Test,
        reason: "sends the TCP super-packets that the agent has to count singly",
    },
    Package {
        name: "tcpdump",
        probe: Probe::Program("tcpdump"),
        need: SetupLevel::Test,
        reason: "is what the benchmark of live capture compares with",
    },
    Package {
        name: "prometheus",
        probe: Probe::Program("promtool"),
        need: SetupLevel::Test,
        reason: "scrapes the agent and checks the rules (its service is not needed: systemctl disable --now prometheus)",
    },
    Package {
        name: "default-jre-headless",
        probe: Probe::Program("java"),
        need: SetupLevel::Test,
        reason: "runs Spark, which reads the archive",
    },
    Package {
        name: "s3fs",
        probe: Probe::Program("s3fs"),
        need: SetupLevel::Test,
        reason: "mounts the S3 server for it",
    },
    Package {
        name: "chromium",
        probe: Probe::Program("chromium"),
        need: SetupLevel::Test,
        reason: "is the browser that the web page is tested in",
    },
    Package {
        name: "chromium-driver",
        probe: Probe::Program("chromedriver"),
        need: SetupLevel::Test,
        reason: "drives that browser",
    },
    Package {
        name: "debootstrap",
        probe: Probe::Program("debootstrap"),
        need: SetupLevel::Test,
        reason: "makes the bare system that the Debian package is installed into",
    },
    Package {
        name: "docker.io",
        probe: Probe::Program("dockerd"),
        need: SetupLevel::Test,
        reason: "builds and runs the image (its service is not needed: systemctl disable --now docker)",
    },
    #[cfg(target_arch = "x86_64")]
    Package {
        name: "qemu-system-x86",
        probe: Probe::Program("qemu-system-x86_64"),
        need: SetupLevel::Test,
        reason: "boots an older kernel",
    },
    #[cfg(target_arch = "x86_64")]
    Package {
        name: "busybox-static",
        probe: Probe::Program("busybox"),
        need: SetupLevel::Test,
        reason: "is the system on that kernel",
    },
    Package {
        name: "nsd",
        probe: Probe::Program("nsd"),
        need: SetupLevel::Bench,
        reason: "is the name server that `bench host` watches (its service is not needed: systemctl disable --now nsd)",
    },
    Package {
        name: "linux-perf",
        probe: Probe::Program("perf"),
        need: SetupLevel::Bench,
        reason: "shows where `bench host` spends the time of a query",
    },
];

/// Packages that Debian has and Ubuntu does not. Without them their tests are skipped.
const OF_DEBIAN: &[&str] = &["bpftool", "chromium", "chromium-driver", "linux-perf"];

/// Parts of the Rust toolchain that a minimal rustup profile leaves out, with the cargo subcommand
/// each brings.
const COMPONENTS: &[(&str, &str)] = &[("clippy", "clippy"), ("rustfmt", "fmt")];

#[derive(clap::Args)]
pub(crate) struct SetupArguments {
    /// Install only the packages for this
    #[arg(long = "for", value_name = "WHAT", value_enum, default_value = "test")]
    need: SetupLevel,
}

/// The subcommand.
pub(crate) fn run(arguments: &SetupArguments) -> Result<()> {
    ensure(arguments.need)
}

/// Installs the packages that are missing for `need`. Without root it fails with the command to
/// run.
pub(crate) fn ensure(need: SetupLevel) -> Result<()> {
    let mut missing: Vec<&Package> =
        PACKAGES.iter().filter(|package| package.need <= need && !is_present(&package.probe)).collect();
    missing.retain(|Package { name, reason, .. }| {
        let can_be_had = !OF_DEBIAN.contains(name) || apt::has(name);
        if !can_be_had {
            println!("left out: {name} ({reason}), which this system does not have; its tests are skipped");
        }
        can_be_had
    });
    for package in &missing {
        println!("missing: {} ({})", package.name, package.reason);
    }
    if !missing.is_empty() {
        let mut names: Vec<_> = missing.iter().map(|package| package.name).collect();
        // A user who is not root gets one line for everything.
        if !apt::is_root() {
            names.extend(bpf_toolchain::missing_packages());
        }
        apt::install(&names)?;
    }
    let components = if need >= SetupLevel::Test { missing_components() } else { Vec::new() };
    if !components.is_empty() {
        add_components(&components)?;
    }
    if missing.is_empty() && components.is_empty() {
        println!("setup: everything is there");
    }
    if need >= SetupLevel::Test {
        dependencies::ensure();
        python_tools::ensure();
        node_tools::ensure();
    }
    bpf_toolchain::ensure();
    Ok(())
}

fn is_present(probe: &Probe) -> bool {
    match probe {
        Probe::Program(name) => command::on_path(name),
        Probe::PythonModule(name) => {
            command::succeeds(Command::new("python3").args(["-c", &format!("import {name}")]))
        }
        Probe::Library(name) => command::succeeds(Command::new("pkg-config").args(["--exists", name])),
    }
}

fn missing_components() -> Vec<&'static str> {
    let is_missing = |subcommand: &str| !command::succeeds(&mut command::cargo([subcommand, "--version"]));
    COMPONENTS.iter().filter(|(_, subcommand)| is_missing(subcommand)).map(|(name, _)| *name).collect()
}

fn add_components(names: &[&str]) -> Result<()> {
    if !command::on_path("rustup") {
        bail!("the Rust toolchain lacks {}: install it as you installed cargo", names.join(" and "));
    }
    command::run(Command::new("rustup").args(["component", "add"]).args(names))
}
