//! Restricts this process to what the agent needs, before it reads a byte from outside.
//!
//! A fault in a parser then gives an attacker neither the files of the machine nor another program:
//!
//! * `files`: Landlock (Linux 5.13) lets the process read the given files and directories, a few
//!   of the system's, and nothing else. It writes nothing outside the given directories and, from Linux
//!   6.7, opens TCP connections to the given ports only.
//! * `system_calls`: a seccomp filter lets through the system calls that the agent makes.
//!
//! Both hold for all threads that start later, and for good. Each is best effort: a kernel without
//! one gives the other, and [`Sandbox`] says what holds. Capabilities are another matter: capture
//! needs them and gives them away itself.

mod files;
mod system_calls;

use std::path::PathBuf;

/// What the process needs beyond the files and system calls that every agent needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Files and directories to read.
    pub readable: Vec<PathBuf>,
    /// Directories in which it creates, replaces and deletes files.
    pub writable: Vec<PathBuf>,
    /// TCP ports of other machines to which it connects.
    pub ports: Vec<u16>,
}

/// What the kernel enforces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Which files the process can open.
    pub files: Protection,
    /// Whether the process is kept from opening other TCP connections than it needs.
    pub connections: Protection,
    /// Which system calls the process can make.
    pub system_calls: Protection,
}

/// Whether a restriction is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// All of it.
    Enforced,
    /// What this kernel knows of it.
    Partial,
    /// None of it, for this reason.
    Unavailable(String),
}

/// Restricts the process to the files and ports that it needs, and to the agent's system calls. Paths
/// that do not exist are left out. Call it while the process has one thread.
pub fn enter(needs: &Needs) -> Sandbox {
    // Before the filter, which does not let these system calls through.
    let (files, connections) = match files::restrict(needs) {
        Ok(restricted) => restricted,
        Err(error) => {
            let reason = error.to_string();
            (Protection::Unavailable(reason.clone()), Protection::Unavailable(reason))
        }
    };
    let system_calls = match system_calls::restrict(needs) {
        Ok(()) => Protection::Enforced,
        Err(error) => Protection::Unavailable(error.to_string()),
    };
    Sandbox { files, connections, system_calls }
}
