//! Files and TCP connections, by Landlock.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::{Needs, Protection};

/// What the agent and its libraries read of the system:
///
/// * `/proc` and `/sys`: its own threads and memory, interfaces, kernel types;
/// * name resolution, for the address to listen on: its configuration, and the libraries that the
///   C library loads for it.
const SYSTEM: [&str; 10] = [
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/ld.so.cache",
    "/lib",
    "/usr/lib",
];

/// Linux 6.2 knows truncation, 5.19 renames: without them the rest is enforced.
const FILES: ABI = ABI::V3;
/// Linux 6.7 knows TCP.
const CONNECTIONS: ABI = ABI::V4;

/// Restricts the calling thread and those that it starts. Returns what holds of files and of
/// connections.
pub(super) fn restrict(needs: &Needs) -> Result<(Protection, Protection), RulesetError> {
    let system = SYSTEM.iter().map(Path::new);
    let program = std::env::current_exe().ok();
    let paths = system.chain(needs.readable.iter().map(|path| path.as_path())).chain(program.as_deref());
    // A pipe of the shell (/dev/fd/63) has a name, but no place in a file system; it can be opened.
    let paths = paths.filter(|path| path.canonicalize().is_ok());
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    // No links into other directories, and none of the special files.
    let write = read
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir;
    let ports =
        needs.ports.iter().map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    // Two layers, so that each says whether it is in force.
    let files = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(FILES))?
        .create()?
        .add_rules(path_beneath_rules(paths, read))?
        .add_rules(path_beneath_rules(&needs.writable, write))?
        .restrict_self()?;
    let connections = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(BitFlags::from(AccessNet::ConnectTcp) & AccessNet::from_all(CONNECTIONS))?
        .create()?
        .add_rules(ports)?
        .restrict_self()?;
    Ok((protection(&files, "5.13"), protection(&connections, "6.7")))
}

fn protection(status: &RestrictionStatus, since: &str) -> Protection {
    match status.ruleset {
        RulesetStatus::FullyEnforced => Protection::Enforced,
        RulesetStatus::PartiallyEnforced => Protection::Partial,
        RulesetStatus::NotEnforced => Protection::Unavailable(format!(
            "the kernel does not enforce it (Landlock, Linux {since}, must be among its security modules)"
        )),
    }
}
