//! A network namespace of the test's own, and programs and threads inside it.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::thread;

use crate::enter::{self, NAMED};
use crate::process::kill;
use crate::tool;

/// The beginning of all names; the creating process and a number follow.
const PREFIX: &str = "pkv-";

/// A named network namespace. Clones are the same namespace; dropping the last one ends its
/// programs and removes it.
#[derive(Clone)]
pub struct Namespace(Arc<Owned>);

struct Owned(String);

impl Namespace {
    /// Creates a namespace in which only `lo` is up and IPv6 is off.
    ///
    /// # Panics
    /// It cannot be created. Check [`Need::Namespaces`](crate::Need::Namespaces) with
    /// [`require!`](crate::require) first.
    #[expect(clippy::new_without_default, reason = "creating a namespace is not a default value")]
    pub fn new() -> Self {
        tool::must(Self::try_new())
    }

    pub(crate) fn try_new() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        static SWEEP: Once = Once::new();
        SWEEP.call_once(remove_leftovers);
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        tool::try_ip(&["netns", "add", &name])?;
        let namespace = Self(Arc::new(Owned(name)));
        namespace.try_run(|| {
            // "default" is for links that are created later. Without IPv6 in the kernel there is
            // nothing to turn off.
            for which in ["all", "default"] {
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
            }
        })?;
        tool::try_ip(&["-n", namespace.name(), "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// Its name for `ip netns`.
    pub fn name(&self) -> &str {
        &self.0.0
    }

    /// Runs `work` on a thread of its own inside the namespace and returns its result. A socket
    /// that it opens and returns stays in the namespace. `/sys` shows the namespace's interfaces.
    ///
    /// # Panics
    /// `work` panics, or the namespace cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        tool::must(self.try_run(work))
    }

    fn try_run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        // The name of the test, so that a panic's message can be assigned to it.
        let name = thread::current().name().unwrap_or("in a namespace").to_owned();
        thread::scope(|scope| {
            let inside = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || enter::enter(self.name()).map(|()| work()))?;
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A command that runs `program` inside the namespace. The process started is `program` itself:
    /// its id can be signalled.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.name()]).arg(program.as_ref());
        command
    }

    /// `ip` inside the namespace.
    ///
    /// # Panics
    /// `ip` fails.
    pub fn ip(&self, words: &[&str]) -> String {
        tool::ip(&[&["-n", self.name()], words].concat())
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({})", self.name())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Ends the programs inside, which would keep the namespace alive, and removes its name. Its links
/// go with it.
fn remove(name: &str) {
    let pids = tool::try_ip(&["netns", "pids", name]).unwrap_or_default();
    for pid in pids.lines().filter_map(|line| line.trim().parse::<u32>().ok()) {
        if pid != std::process::id() {
            // It may have ended by itself.
            let _ = kill(pid, libc::SIGKILL);
        }
    }
    if let Err(error) = tool::try_ip(&["netns", "del", name]) {
        eprintln!("testbed: {error}");
    }
}

/// Removes the namespaces of killed tests.
fn remove_leftovers() {
    for entry in fs::read_dir(NAMED).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if maker(&name).is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            remove(&name);
        }
    }
}

/// The process that created a namespace of this name; `None` for names of other programs.
fn maker(name: &str) -> Option<u32> {
    let (pid, number) = name.strip_prefix(PREFIX)?.split_once('-')?;
    number.parse::<u32>().ok()?;
    pid.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::maker;

    #[test]
    fn only_our_names_contain_a_process() {
        assert_eq!(maker("pkv-17-0"), Some(17));
        for name in ["pkv-17", "pkv-x-1", "pkv-17-x", "other", "pkv--1", "cni-17-1"] {
            assert_eq!(maker(name), None, "{name}");
        }
    }
}
