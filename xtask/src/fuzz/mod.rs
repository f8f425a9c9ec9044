//! `cargo xtask fuzz`: builds the fuzz targets once and runs them, one on each processor.
//!
//! It needs neither cargo-fuzz nor a nightly compiler: libFuzzer comes with the crate libfuzzer-sys,
//! coverage is a pass of LLVM that the stable compiler has, and AddressSanitizer is behind the switch
//! that the kernel programs need, too. `cargo fuzz run TARGET` works as well where it is installed.
//!
//! Inputs that libFuzzer finds go to `target/fuzz/corpus/TARGET`, those that crash to
//! `target/fuzz/artifacts`. `fuzz/corpus` holds the committed inputs, minimised with `--minimise`.

mod libfuzzer;
mod seeds;

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::{command, workspace};
use libfuzzer::{FuzzStatistics, failure, statistics};

/// The package, from the root of the checkout: it is not a member of the workspace.
pub(crate) const MANIFEST: &str = "fuzz/Cargo.toml";
/// As cargo-fuzz sets them. Its targets are compiled for a named target, so that build scripts and
/// macros, which run on this machine, have none of these flags.
const COVERAGE: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-gnu" } else { "x86_64-unknown-linux-gnu" };
/// Features of targets whose dependencies take long to compile.
const NEEDS: [(&str, &str); 5] =
    [("filter", "kernel"), ("http", "agent"), ("pipeline", "agent"), ("ring", "kernel"), ("ui", "terminal")];
/// A single input that takes longer is a finding.
const TIMEOUT_S: u64 = 20;
/// An input that makes a target take more memory is a finding.
const MEMORY_MB: u64 = 2048;
/// Longest inputs in bytes: of single packets and messages, of lists of operations, and of files.
const LENGTHS: [(&str, u64); 4] = [("classifier", 512), ("name", 768), ("message", 1024), ("http", 2048)];
const LENGTH_DEFAULT: u64 = 4096;

#[derive(clap::Args)]
pub(crate) struct FuzzArguments {
    /// Seconds for each target
    #[arg(long, value_name = "N", default_value = "60")]
    seconds: u64,
    /// Targets at a time; as many as there are processors if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Also look for memory errors; two to four times slower
    #[arg(long)]
    address_sanitizer: bool,
    /// Afterwards write the smallest set of inputs that reaches as much into fuzz/corpus
    #[arg(long)]
    minimise: bool,
    /// Targets to run; all if none is given
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// The subcommand.
pub(crate) fn run(arguments: &FuzzArguments) -> Result<()> {
    let targets = chosen(&arguments.targets)?;
    let built = build(arguments, &targets)?;
    let waiting = Mutex::new(targets.iter().collect::<VecDeque<_>>());
    let done = Mutex::new(Vec::new());
    let jobs = arguments.jobs.map_or_else(processors, usize::from);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(target) = lock(&waiting).pop_front() {
                    let outcome = fuzz(&built, target, arguments);
                    println!("{}", row(target, &outcome));
                    lock(&done).push((target, outcome));
                }
            });
        }
    });
    let done = lock(&done);
    println!("\n{}", table(&done));
    let failed: Vec<_> = done.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).collect();
    for error in &failed {
        println!("{error:#}\n");
    }
    ensure!(failed.is_empty(), "{} of {} targets found something", failed.len(), done.len());
    Ok(())
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of all targets, as the manifest lists them.
fn all_targets() -> Result<Vec<String>> {
    let manifest =
        fs::read_to_string(workspace::root().join(MANIFEST)).context("cannot read fuzz/Cargo.toml")?;
    let binaries = manifest.split("[[bin]]").skip(1);
    let name = |text: &str| {
        Some(text.lines().find_map(|line| line.strip_prefix("name = "))?.trim_matches('"').to_owned())
    };
    Ok(binaries.filter_map(name).collect())
}

fn chosen(given: &[String]) -> Result<Vec<String>> {
    let all = all_targets()?;
    if let Some(unknown) = given.iter().find(|target| !all.contains(target)) {
        bail!("there is no fuzz target {unknown}; there are {}", all.join(", "));
    }
    Ok(if given.is_empty() { all } else { given.to_vec() })
}

/// Where the programs are, and what they find.
struct Built {
    programs: PathBuf,
    found: PathBuf,
}

fn build(arguments: &FuzzArguments, targets: &[String]) -> Result<Built> {
    let kind = if arguments.address_sanitizer { "fuzz-address" } else { "fuzz" };
    let directory = workspace::target()?.join(kind);
    let mut flags = COVERAGE.to_vec();
    if arguments.address_sanitizer {
        flags.push("-Zsanitizer=address");
    }
    let mut build = command::cargo(["build", "--locked", "--release", "--manifest-path", MANIFEST]);
    build.args(["--target", TARGET, "--target-dir"]).arg(&directory);
    for target in targets {
        build.args(["--bin", target]);
    }
    let feature =
        |target: &String| NEEDS.iter().find(|(name, _)| name == target).map(|(_, feature)| *feature);
    let features: BTreeSet<_> = targets.iter().filter_map(feature).collect();
    build
        .args(["--no-default-features", "--features"])
        .arg(features.into_iter().collect::<Vec<_>>().join(","));
    // Flags for the host would replace these.
    build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    if arguments.address_sanitizer {
        build.env("RUSTC_BOOTSTRAP", "1");
    }
    command::run(&mut build)?;
    Ok(Built { programs: directory.join(TARGET).join("release"), found: workspace::target()?.join("fuzz") })
}

/// Runs one target for its time.
fn fuzz(built: &Built, target: &str, arguments: &FuzzArguments) -> Result<FuzzStatistics> {
    let corpus = built.found.join("corpus").join(target);
    let committed = committed(target);
    let seeds = built.found.join("seeds").join(target);
    seeds::write(target, &seeds)?;
    let artifacts = built.found.join("artifacts");
    for directory in [&corpus, &artifacts] {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let program = built.programs.join(target);
    let mut fuzzer = Command::new(&program);
    fuzzer.current_dir(workspace::root()).arg(&corpus);
    fuzzer.args([&committed, &seeds].into_iter().filter(|directory| directory.is_dir()));
    let length =
        LENGTHS.iter().find(|(name, _)| *name == target).map_or(LENGTH_DEFAULT, |(_, length)| *length);
    fuzzer.args([
        format!("-max_total_time={}", arguments.seconds),
        format!("-max_len={length}"),
        format!("-timeout={TIMEOUT_S}"),
        format!("-rss_limit_mb={MEMORY_MB}"),
        format!("-artifact_prefix={}/{target}-", artifacts.display()),
        "-print_final_stats=1".to_owned(),
        "-use_value_profile=0".to_owned(),
    ]);
    let dictionary = workspace::root().join(format!("fuzz/dictionaries/{target}"));
    if dictionary.is_file() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    let output = fuzzer
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!(failure(target, &program, &said));
    }
    let inputs = fs::read_dir(&corpus).map_or(0, Iterator::count);
    let statistics = FuzzStatistics { inputs, ..statistics(&said) };
    if arguments.minimise {
        minimise(&program, target, &[&corpus, &committed, &seeds], length)?;
    }
    Ok(statistics)
}

/// The committed inputs of a target.
fn committed(target: &str) -> PathBuf {
    workspace::root().join("fuzz/corpus").join(target)
}

/// Replaces the committed inputs by the smallest set that reaches as much.
fn minimise(program: &Path, target: &str, from: &[&PathBuf], length: u64) -> Result<()> {
    let directory = committed(target);
    let smallest = tempfile::tempdir().context("cannot create a directory")?;
    let mut merge = Command::new(program);
    merge.args(["-merge=1", &format!("-max_len={length}")]).arg(smallest.path());
    merge.args(from.iter().filter(|directory| directory.is_dir()));
    let output = merge.output().with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for entry in fs::read_dir(smallest.path())? {
        let path = entry?.path();
        fs::copy(&path, directory.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn row(target: &str, outcome: &Result<FuzzStatistics>) -> String {
    match outcome {
        Ok(FuzzStatistics { executions, per_second, coverage, features, inputs, slowest_s, memory_mb }) => {
            format!(
                "| {target} | {executions} | {per_second} | {coverage} | {features} | {inputs} | {slowest_s} | {memory_mb} |"
            )
        }
        Err(_) => format!("| {target} | FAILED | | | | | | |"),
    }
}

fn table(done: &[(&String, Result<FuzzStatistics>)]) -> String {
    let mut rows: Vec<String> = done.iter().map(|(target, outcome)| row(target, outcome)).collect();
    rows.sort();
    let total: u64 = done.iter().filter_map(|(_, outcome)| Some(outcome.as_ref().ok()?.executions)).sum();
    format!(
        "| target | executions | per second | places reached | features | inputs | slowest, s | memory, MB |\n\
         |---|---|---|---|---|---|---|---|\n{}\n\n{total} executions in all",
        rows.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_manifest_has_a_source() {
        let targets = all_targets().expect("a manifest");
        assert!(targets.len() > 5);
        for target in targets {
            assert!(workspace::root().join(format!("fuzz/fuzz_targets/{target}.rs")).is_file(), "{target}");
        }
        assert!(chosen(&["nothing".to_owned()]).is_err());
    }
}
