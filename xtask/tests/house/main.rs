//! The house keeps to its plan: crates depend on one another as drawn, modules form no circle, and
//! each type has a name of its own.
//!
//! The compiler rejects a dependency that a manifest lacks. These tests reject a manifest that the
//! plan lacks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arrows;
mod circles;
mod imports;
mod modules;
mod names;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The checkout.
fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap()
}

/// The packages of the workspace, and the kernel programs outside of it, as cargo lists them.
fn packages() -> Vec<Value> {
    ["Cargo.toml", "pktvisor-ebpf/Cargo.toml"].into_iter().flat_map(packages_of).collect()
}

fn packages_of(manifest: &str) -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(root().join(manifest))
        .output()
        .unwrap();
    assert!(output.status.success(), "{manifest}: {}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("cargo lists no packages of {manifest}: {other}"),
    }
}
