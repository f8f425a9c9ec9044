//! Builds the image, and looks at what it is.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::engine::Engine;
use crate::bare_root::{BareRoot, Release};
use crate::steps::StepOutcome;
use crate::{command, dist, workspace};

/// The base images that the Dockerfile names.
const DEBIAN: &str = "debian:bookworm-slim";
const RUST: &str = "rust:1.95-slim-bookworm";

/// The name of the image.
pub(super) const IMAGE: &str = "pktvisor:tested";

/// Largest size of the image, in bytes. Debian's slim image alone is 75 MB.
const SIZE_MAX_BYTES: u64 = 120_000_000;

/// Where the programs in the image are from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ProgramSource {
    /// `cargo xtask dist` built them.
    Given,
    /// The Dockerfile builds them, which takes minutes.
    Built,
}

/// Pulls the base images from a registry, or makes them from Debian's packages if there is none.
pub(super) fn prepare_base(engine: &Engine, programs: ProgramSource) -> Result<StepOutcome> {
    let images = match programs {
        ProgramSource::Given => &[DEBIAN][..],
        ProgramSource::Built => &[DEBIAN, RUST],
    };
    let has = |image: &&&str| command::succeeds(engine.docker().args(["image", "inspect", image]));
    let is_pulled = |image: &&str| command::succeeds(engine.docker().args(["pull", image]));
    if images.iter().filter(|image| !has(image)).all(is_pulled) {
        return Ok(StepOutcome::Passed);
    }
    if !engine.is_own() {
        return Ok(StepOutcome::Skipped(format!("this engine cannot get {}", images.join(" and "))));
    }
    let root = match BareRoot::make(&Release::bookworm(), &[]) {
        Ok(root) => root,
        Err(error) => return Ok(StepOutcome::Skipped(format!("no base image is available: {error:#}"))),
    };
    let mut tar = Command::new("tar");
    tar.args(["--create", "--directory"]).arg(root.path()).arg(".");
    import(engine, tar, DEBIAN)?;
    if programs == ProgramSource::Built {
        make_rust(engine)?;
    }
    Ok(StepOutcome::Passed)
}

/// Imports what `tar` packs.
fn import(engine: &Engine, mut tar: Command, name: &str) -> Result<()> {
    let mut from = tar.stdout(Stdio::piped()).spawn().context("cannot start tar")?;
    let stream = from.stdout.take().context("tar has no output")?;
    command::run(engine.docker().args(["import", "-", name]).stdin(stream))?;
    let status = from.wait().context("cannot wait for tar")?;
    ensure!(status.success(), "tar failed ({status})");
    Ok(())
}

/// Makes a stand-in for Rust's image from Debian's and the toolchain of this machine.
fn make_rust(engine: &Engine) -> Result<()> {
    const CERTIFICATES: &str = "certificates:of-this-machine";
    let mut tar = Command::new("tar");
    tar.args(["--create", "--dereference", "--directory=/etc/ssl/certs", "ca-certificates.crt"]);
    import(engine, tar, CERTIFICATES)?;
    let directory = tempfile::tempdir().context("cannot create a temporary directory")?;
    let dockerfile = directory.path().join("Dockerfile");
    let text = format!(
        "FROM {DEBIAN}\n\
         RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev\n\
         COPY bin /usr/local/rust/bin\n\
         COPY lib /usr/local/rust/lib\n\
         COPY --from={CERTIFICATES} /ca-certificates.crt /etc/ssl/certs/ca-certificates.crt\n\
         ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/rust/bin:/usr/local/cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    );
    std::fs::write(&dockerfile, text).context("cannot write a Dockerfile")?;
    let mut rustc = Command::new("rustc");
    let toolchain = command::output(rustc.args(["--print", "sysroot"]).current_dir(workspace::root()))?;
    build(engine, &dockerfile, RUST, Path::new(toolchain.trim()), &[])
}

/// Builds the image.
pub(super) fn make(engine: &Engine, programs: ProgramSource) -> Result<()> {
    let dockerfile = workspace::root().join("Dockerfile");
    match programs {
        ProgramSource::Given => {
            build(engine, &dockerfile, IMAGE, &dist::directory()?, &["--build-arg=PROGRAMS=given"])
        }
        ProgramSource::Built => build(engine, &dockerfile, IMAGE, workspace::root(), &[]),
    }
}

fn build(engine: &Engine, dockerfile: &Path, tag: &str, context: &Path, options: &[&str]) -> Result<()> {
    let mut build = engine.docker();
    build.args(["build", "--progress=plain", "--tag", tag, "--file"]).arg(dockerfile).args(options);
    // An engine without a bridge has no other way to the packages.
    if engine.is_own() {
        build.arg("--network=host");
    }
    command::run(build.arg(context))
}

/// It is small, and its programs do not run as root.
pub(super) fn check(engine: &Engine) -> Result<()> {
    let inspect = |format: &str| -> Result<String> {
        let printed = command::output(engine.docker().args(["image", "inspect", "--format", format, IMAGE]))?;
        Ok(printed.trim().to_owned())
    };
    let size_bytes: u64 = inspect("{{.Size}}")?.parse().context("the engine prints no size")?;
    println!("the image has {:.1} MB", size_bytes as f64 / 1e6);
    ensure!(size_bytes <= SIZE_MAX_BYTES, "the image has {size_bytes} bytes, more than {SIZE_MAX_BYTES}");
    let user = inspect("{{.Config.User}}")?;
    // A number: Kubernetes does not look into the image to find out whether a name is root.
    let id: u32 =
        user.split(':').next().unwrap_or_default().parse().with_context(|| format!("user `{user}`"))?;
    ensure!(id != 0, "the image runs as root");
    Ok(())
}
