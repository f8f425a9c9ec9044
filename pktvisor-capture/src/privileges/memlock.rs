//! The limit of locked memory (getrlimit(2), RLIMIT_MEMLOCK). AF_XDP packet buffers count against it, and below Linux
//! 5.11 BPF maps as well.

use std::io;

/// Raises the limit as far as this process may: to infinity with CAP_SYS_RESOURCE, else to its hard limit. Returns what it
/// is now, in bytes; `None`: unlimited.
///
/// # Errors
///
/// The limit cannot be read or set.
pub fn raise_memlock() -> io::Result<Option<u64>> {
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    if set(&unlimited).is_ok() {
        return Ok(None);
    }
    let mut limit = get()?;
    limit.rlim_cur = limit.rlim_max;
    set(&limit)?;
    Ok((limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur))
}

fn get() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one rlimit into one.
    match unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } {
        0 => Ok(limit),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set(limit: &libc::rlimit) -> io::Result<()> {
    // SAFETY: the kernel reads one rlimit.
    match unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
