//! The limit of locked memory (getrlimit(2), RLIMIT_MEMLOCK). AF_XDP packet buffers count against
//! it, and below Linux 5.11 BPF maps as well.

use std::io;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

/// Raises the limit as far as this process may: to infinity with CAP_SYS_RESOURCE, else to its hard
/// limit. Returns what it is now, in bytes; `None`: unlimited.
///
/// # Errors
///
/// The limit cannot be read or set.
pub fn raise_memlock() -> io::Result<Option<u64>> {
    if setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_ok() {
        return Ok(None);
    }
    let (_, hard_bytes) = getrlimit(Resource::RLIMIT_MEMLOCK)?;
    setrlimit(Resource::RLIMIT_MEMLOCK, hard_bytes, hard_bytes)?;
    Ok((hard_bytes != RLIM_INFINITY).then_some(hard_bytes))
}
