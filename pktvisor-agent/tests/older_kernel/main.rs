//! Live capture on a kernel without tcx (before 6.6): `cargo xtask test-vm` runs these where such a kernel runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clsact;

use aya::util::KernelVersion;
use pktvisor_agent::capture::kernel::object;
use testbed::Need;

/// Whether the tests can run; says so if not.
fn skipped() -> bool {
    let too_new = || match KernelVersion::current() {
        Ok(version) if version < KernelVersion::new(6, 6, 0) => None,
        _ => Some("this kernel has tcx (cargo xtask test-vm boots one without)".to_owned()),
    };
    let no_object = || {
        let missing = "the agent was built without kernel programs (cargo xtask build-ebpf)";
        object::embedded().is_none().then(|| missing.to_owned())
    };
    let reason =
        testbed::missing(&[Need::Namespaces, Need::Program("tc")]).or_else(too_new).or_else(no_object);
    if let Some(reason) = &reason {
        testbed::tell_skipped(reason);
    }
    reason.is_some()
}
