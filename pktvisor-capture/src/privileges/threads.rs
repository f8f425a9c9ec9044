//! The capabilities of the threads of this process, from `/proc`.

use std::fs;
use std::io;

/// The capabilities of one thread, as bit masks (capability number n is bit n).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadPrivileges {
    /// The thread's id.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Effective capabilities: in force now.
    pub effective: u64,
    /// Permitted capabilities: the thread can make them effective.
    pub permitted: u64,
    /// Inheritable capabilities: a program that it runs can have them.
    pub inheritable: u64,
    /// Ambient capabilities: a program that it runs has them.
    pub ambient: u64,
    /// Whether no program it runs gets more than it has itself.
    pub no_new_privileges: bool,
}

impl ThreadPrivileges {
    /// Everything it has in any way.
    pub fn all(&self) -> u64 {
        self.effective | self.permitted | self.inheritable | self.ambient
    }
}

/// All threads of this process, except those that end during the call.
///
/// # Errors
///
/// `/proc` is not there.
pub fn threads() -> io::Result<Vec<ThreadPrivileges>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let path = entry?.path();
        let id = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        if let (Some(id), Ok(status)) = (id, fs::read_to_string(path.join("status"))) {
            threads.push(parse(id, &status));
        }
    }
    Ok(threads)
}

/// Reads `/proc/self/task/ID/status` (proc_pid_status(5)).
fn parse(id: i32, status: &str) -> ThreadPrivileges {
    let mut thread = ThreadPrivileges { id, ..ThreadPrivileges::default() };
    for (key, value) in status.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        // An unreadable set counts as full.
        let mask = || u64::from_str_radix(value, 16).unwrap_or(u64::MAX);
        match key {
            "Name" => thread.name = value.to_owned(),
            "CapEff" => thread.effective = mask(),
            "CapPrm" => thread.permitted = mask(),
            "CapInh" => thread.inheritable = mask(),
            "CapAmb" => thread.ambient = mask(),
            "NoNewPrivs" => thread.no_new_privileges = value == "1",
            _ => {}
        }
    }
    thread
}
