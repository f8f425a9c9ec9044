//! The Rust compiler, and the tool of its LLVM that merges the counts of an instrumented program.
//!
//! The format of these counts belongs to a major version of LLVM: a tool of another one than the
//! compiler's cannot read them, or writes what the compiler cannot.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The compiler that cargo uses here.
#[derive(Debug, PartialEq)]
pub(super) struct Compiler {
    /// The machine it runs on, and builds for: `x86_64-unknown-linux-gnu`.
    pub(super) host: String,
    /// Major version of its LLVM.
    llvm: u32,
    /// The directory of its libraries for the host.
    libraries: PathBuf,
}

impl Compiler {
    /// Asks the compiler about itself.
    pub(super) fn ask() -> Result<Self> {
        let about = printed(&["--version", "--verbose"])?;
        let libraries = printed(&["--print", "target-libdir"])?.trim().into();
        Self::parse(&about, libraries)
            .with_context(|| format!("rustc does not print its version and that of its LLVM:\n{about}"))
    }

    fn parse(about: &str, libraries: PathBuf) -> Option<Self> {
        let host = about.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned();
        Some(Self { host, llvm: llvm_major(about, "LLVM version: ")?, libraries })
    }

    /// The `llvm-profdata` that fits it; or, in words, the missing part of profile-guided
    /// optimisation.
    pub(super) fn profdata(&self) -> Result<PathBuf, String> {
        if !self.has_runtime() {
            return Err("this Rust toolchain has no profiler_builtins; those of rustup have".to_owned());
        }
        choose(self.candidates(), self.llvm, version_of).ok_or_else(|| {
            format!(
                "there is no llvm-profdata of LLVM {0}; please install it: rustup component add llvm-tools \
                 (or, on Debian: apt-get install llvm-{0})",
                self.llvm
            )
        })
    }

    /// Whether the counting library exists, which is linked into every instrumented program.
    fn has_runtime(&self) -> bool {
        self.libraries.read_dir().is_ok_and(|files| {
            files
                .flatten()
                .any(|file| file.file_name().to_string_lossy().starts_with("libprofiler_builtins-"))
        })
    }

    /// Possible places of the tool, the likeliest to fit first: rustup's component, Debian's
    /// package, PATH.
    fn candidates(&self) -> Vec<PathBuf> {
        let of_toolchain = self.libraries.parent().unwrap_or(&self.libraries).join("bin/llvm-profdata");
        let others = [
            format!("/usr/lib/llvm-{}/bin/llvm-profdata", self.llvm),
            format!("llvm-profdata-{}", self.llvm),
            "llvm-profdata".to_owned(),
        ];
        std::iter::once(of_toolchain).chain(others.map(PathBuf::from)).collect()
    }
}

/// The output of rustc on stdout.
fn printed(arguments: &[&str]) -> Result<String> {
    // The rustc that cargo starts, in the checkout, which may choose a toolchain.
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(program).args(arguments).current_dir(workspace::root()).output();
    let output = output.context("cannot start rustc")?;
    if !output.status.success() {
        bail!("rustc {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).context("the output of rustc is not text")
}

/// The first candidate that belongs to LLVM `major`.
fn choose(
    candidates: Vec<PathBuf>,
    major: u32,
    version_of: impl Fn(&Path) -> Option<u32>,
) -> Option<PathBuf> {
    candidates.into_iter().find(|candidate| version_of(candidate) == Some(major))
}

/// The major version of LLVM that a tool prints; `None` if it cannot be started, or prints none.
fn version_of(tool: &Path) -> Option<u32> {
    let output = Command::new(tool).arg("--version").output().ok()?;
    llvm_major(&String::from_utf8_lossy(&output.stdout), "LLVM version ")
}

/// The number that follows `label`, up to its first point.
fn llvm_major(text: &str, label: &str) -> Option<u32> {
    let (_, version) = text.split_once(label)?;
    version.split('.').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &str = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\n\
        host: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n";

    fn compiler() -> Compiler {
        Compiler::parse(ABOUT, "/toolchain/lib/rustlib/x86_64-unknown-linux-gnu/lib".into())
            .expect("a compiler")
    }

    #[test]
    fn host_and_llvm_are_read_from_the_output_of_rustc() {
        assert_eq!((compiler().host.as_str(), compiler().llvm), ("x86_64-unknown-linux-gnu", 22));
        assert_eq!(Compiler::parse("rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\n", PathBuf::new()), None);
    }

    #[test]
    fn the_version_of_the_tool_is_read_from_its_output() {
        for (words, major) in [
            ("Debian LLVM version 22.1.8\n  Optimized build.\n", Some(22)),
            ("LLVM (http://llvm.org/):\n  LLVM version 22.1.2-rust-1.95.0-stable\n", Some(22)),
            ("USAGE: llvm-profdata <merge|show|overlap> [args...]\n", None),
        ] {
            assert_eq!(llvm_major(words, "LLVM version "), major, "{words}");
        }
    }

    #[test]
    fn the_toolchains_own_tool_comes_first_and_one_of_another_llvm_never() {
        let candidates = compiler().candidates();
        let own = Path::new("/toolchain/lib/rustlib/x86_64-unknown-linux-gnu/bin/llvm-profdata");
        assert_eq!(choose(candidates.clone(), 22, |_| Some(22)).as_deref(), Some(own));

        let only_debians = |tool: &Path| tool.starts_with("/usr/lib/llvm-22").then_some(22);
        let debians = Some(Path::new("/usr/lib/llvm-22/bin/llvm-profdata"));
        assert_eq!(choose(candidates.clone(), 22, only_debians).as_deref(), debians);

        assert_eq!(choose(candidates, 22, |_| Some(14)), None);
    }

    #[test]
    fn a_tool_that_cannot_be_started_has_no_version() {
        assert_eq!(version_of(Path::new("/nowhere/llvm-profdata")), None);
    }
}
