//! Moves the calling thread into a network namespace, with the `/sys` that belongs to it.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::ptr;

use nix::sched::{CloneFlags, setns, unshare};

/// The directory of the named namespaces of `ip netns`.
pub(crate) const NAMED: &str = "/run/netns";

/// Moves only this thread, for the rest of its life.
///
/// The thread gets a mount namespace of its own as well: `/sys` shows the interfaces of the network
/// namespace that it was mounted from. (`ip netns exec` does the same for programs.)
pub(crate) fn enter(name: &str) -> io::Result<()> {
    let namespace = File::open(format!("{NAMED}/{name}"))?;
    setns(namespace, CloneFlags::CLONE_NEWNET)?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    // Later mounts must not appear outside.
    mount(c"/", None, libc::MS_SLAVE | libc::MS_REC)?;
    mount(c"/sys", Some(c"sysfs"), 0)
}

fn mount(target: &CStr, kind: Option<&CStr>, flags: libc::c_ulong) -> io::Result<()> {
    let kind = kind.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: source and target are C strings that outlive the call, `kind` is one or null (which
    // MS_SLAVE allows), and neither file system type takes data.
    let status = unsafe { libc::mount(c"none".as_ptr(), target.as_ptr(), kind, flags, ptr::null()) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
