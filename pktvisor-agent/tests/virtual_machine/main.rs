//! Live capture where this machine cannot try it: on a kernel without tcx (before 6.6), and on an interface with a driver
//! for hardware. `cargo xtask test-vm` boots a virtual machine for these.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clsact;
mod frames;
mod virtio;
mod watched;

use pktvisor_capture::kernel::object;
use testbed::Need;

/// Whether the tests cannot run, be it for what all of them take or for the reason given; says so then.
fn skipped(reason: Option<String>) -> bool {
    let no_object = || {
        let missing = "the agent was built without kernel programs (cargo xtask build-ebpf)";
        object::embedded().is_none().then(|| missing.to_owned())
    };
    let reason =
        reason.or_else(|| testbed::missing(&[Need::Namespaces, Need::Program("tc")])).or_else(no_object);
    if let Some(reason) = &reason {
        testbed::tell_skipped(reason);
    }
    reason.is_some()
}
