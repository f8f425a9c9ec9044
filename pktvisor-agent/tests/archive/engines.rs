//! The engines: programs in Python, each of which runs the SQL of deploy/sql and prints its answers as JSON.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The program that asks them.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archive/ask.py");

/// The engines that it knows.
pub(crate) const ENGINES: [&str; 3] = ["duckdb", "chdb", "spark"];

/// The Python that `cargo xtask setup --for test` makes; `None` with the reason printed if it is missing.
pub(crate) fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_pktvisord")).ancestors().nth(2).unwrap();
    let python = target.join("python/bin/python");
    if !python.exists() {
        println!("skipped: there is no {} (cargo xtask setup --for test)", python.display());
        return None;
    }
    Some(python)
}

/// Asks an engine about an archive; `None` with the reason printed if the engine is missing.
pub(crate) fn ask(python: &Path, engine: &str, archive: &str, environment: &[(&str, &str)]) -> Option<Value> {
    let mut command = Command::new(python);
    command.args([SCRIPT, engine, archive]).envs(environment.iter().copied());
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) {
        println!("skipped: {engine}: {}", stderr.trim());
        return None;
    }
    assert!(output.status.success(), "{engine}: {stderr}");
    // Spark may have printed something before.
    let stdout = String::from_utf8_lossy(&output.stdout);
    Some(serde_json::from_str(stdout.trim().lines().last().unwrap()).unwrap())
}
