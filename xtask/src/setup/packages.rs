//! The Debian packages that the build, the tests and the benchmarks need, each with its reason.

use std::process::Command;

use super::SetupLevel;
use crate::command;

/// A sign that the contents of a package are installed, from Debian or from elsewhere.
pub(super) enum Probe {
    /// A program on PATH.
    Program(&'static str),
    /// A library that pkg-config knows.
    Library(&'static str),
    /// A module of the system's Python.
    PythonModule(&'static str),
}

/// One Debian package.
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) probe: Probe,
    pub(super) need: SetupLevel,
    pub(super) reason: &'static str,
}

/// All packages that do not come from crates.io.
pub(super) const PACKAGES: &[Package] = &[
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
pub(super) const OF_DEBIAN: &[&str] = &["bpftool", "chromium", "chromium-driver", "linux-perf"];

pub(super) fn is_present(probe: &Probe) -> bool {
    match probe {
        Probe::Program(name) => command::on_path(name),
        Probe::PythonModule(name) => {
            command::succeeds(Command::new("python3").args(["-c", &format!("import {name}")]))
        }
        Probe::Library(name) => command::succeeds(Command::new("pkg-config").args(["--exists", name])),
    }
}
