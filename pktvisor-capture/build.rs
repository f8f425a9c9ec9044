//! Embeds the kernel programs where `cargo xtask build-ebpf` has built them; without them all builds the
//! same, and the agent reads capture files and AF_PACKET only.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names an object to embed instead.
const OVERRIDE: &str = "PKTVISOR_BPF_OBJECT";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(bpf_object)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let given = env::var_os(OVERRIDE).map(PathBuf::from);
    let is_given = given.is_some();
    let object = given.unwrap_or_else(built_object);
    println!("cargo::rerun-if-changed={}", nearest(&object).display());
    match embed(&object) {
        Ok(embedded) => {
            println!("cargo::rustc-cfg=bpf_object");
            println!("cargo::rustc-env=PKTVISOR_EMBEDDED_BPF_OBJECT={}", embedded.display());
        }
        Err(error) if is_given => println!("cargo::error={OVERRIDE}={}: {error}", object.display()),
        Err(_) => {}
    }
}

/// Where `cargo xtask build-ebpf` leaves the object for machines of the target's byte order.
fn built_object() -> PathBuf {
    let target = match env::var("CARGO_CFG_TARGET_ENDIAN").as_deref() {
        Ok("big") => "bpfeb-unknown-none",
        _ => "bpfel-unknown-none",
    };
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    manifest.join("../pktvisor-ebpf/target").join(target).join("release/pktvisor-ebpf")
}

/// A copy in a place that stays the same while this build of the agent lasts.
fn embed(object: &Path) -> std::io::Result<PathBuf> {
    let output = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("pktvisor-ebpf.o");
    fs::copy(object, &output)?;
    Ok(output)
}

/// The object, or the nearest directory above it that exists: cargo takes what does not exist for changed, every time.
fn nearest(object: &Path) -> &Path {
    object.ancestors().find(|path| path.exists()).unwrap_or(Path::new("build.rs"))
}
