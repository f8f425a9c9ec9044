//! Live capture in a virtual machine, which `cargo xtask test-vm` boots: on a kernel without tcx
//! (before 6.6), and on an interface with a hardware driver.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clsact;
mod frames;
mod virtio;
mod watched;

use pktvisor_capture::kernel::object;
use testbed::Need;

/// Whether a test must be skipped, for lack of something that all tests need or for the given
/// reason. Prints why.
fn skipped(reason: Option<String>) -> bool {
    let no_object = || {
        let missing = "the agent was built without kernel programs (cargo xtask build-ebpf)";
        object::embedded().is_none().then(|| missing.to_owned())
    };
    let reason =
        reason.or_else(|| testbed::missing(&[Need::Namespaces, Need::Program("tc")])).or_else(no_object);
    if let Some(reason) = &reason {
        testbed::report_skipped(reason);
    }
    reason.is_some()
}
