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

/// All names start like this; behind it follow the process that made it and a number.
const PREFIX: &str = "pkv-";

/// A named network namespace; clones are the same one. The last one dropped ends what runs inside and removes it.
#[derive(Clone)]
pub struct Namespace(Arc<Owned>);

struct Owned(String);

impl Namespace {
    /// Makes a namespace in which only `lo` is up, and IPv6 is off.
    ///
    /// # Panics
    /// It cannot be made: [`require!`](crate::require) [`Need::Namespaces`](crate::Need::Namespaces) first.
    #[expect(clippy::new_without_default, reason = "making a namespace is no default value")]
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
            // "default" is for the links to come. Where IPv6 is not built in there is nothing to turn off.
            for which in ["all", "default"] {
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
            }
        })?;
        tool::try_ip(&["-n", namespace.name(), "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// As `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.0.0
    }

    /// Runs `work` on a thread of its own inside the namespace and returns its result. What it opens stays in the
    /// namespace: a socket may be handed out. `/sys` shows the namespace's interfaces.
    ///
    /// # Panics
    /// When `work` does, or the namespace cannot be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        tool::must(self.try_run(work))
    }

    fn try_run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        // The name of the test, so that what a panic prints is found.
        let name = thread::current().name().unwrap_or("in a namespace").to_owned();
        thread::scope(|scope| {
            let inside = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || enter::enter(self.name()).map(|()| work()))?;
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A command that runs `program` inside the namespace. The process started is `program` itself: its id can be
    /// signalled.
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

/// Ends what runs inside, which would keep the namespace alive, and takes its name away. Its links go with it.
fn remove(name: &str) {
    let pids = tool::try_ip(&["netns", "pids", name]).unwrap_or_default();
    for pid in pids.lines().filter_map(|line| line.trim().parse::<u32>().ok()) {
        if pid != std::process::id() {
            // One that has ended by itself is as good.
            let _ = kill(pid, libc::SIGKILL);
        }
    }
    if let Err(error) = tool::try_ip(&["netns", "del", name]) {
        eprintln!("testbed: {error}");
    }
}

/// Removes what tests left behind that were killed.
fn remove_leftovers() {
    for entry in fs::read_dir(NAMED).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if maker(&name).is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            remove(&name);
        }
    }
}

/// The process that made a namespace of this name; `None` if it is not one of ours.
fn maker(name: &str) -> Option<u32> {
    let (pid, number) = name.strip_prefix(PREFIX)?.split_once('-')?;
    number.parse::<u32>().ok()?;
    pid.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::maker;

    #[test]
    fn only_names_of_ours_tell_a_maker() {
        assert_eq!(maker("pkv-17-0"), Some(17));
        for name in ["pkv-17", "pkv-x-1", "pkv-17-x", "other", "pkv--1", "cni-17-1"] {
            assert_eq!(maker(name), None, "{name}");
        }
    }
}
