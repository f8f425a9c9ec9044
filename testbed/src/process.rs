//! A program that ends with the test that started it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use crate::tool;

/// A running program; killed when dropped. It is also killed when the thread that started it ends,
/// so start it on the test's main thread.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts the command.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn spawn(command: &mut Command) -> Self {
        // SAFETY: between fork and exec the closure makes one system call, which is
        // async-signal-safe, and touches no memory.
        let command = unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            })
        };
        Self(tool::must(command.spawn()))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Sends it a signal such as [`libc::SIGTERM`].
    ///
    /// # Panics
    /// The process has ended and was waited for.
    pub fn signal(&self, signal: i32) {
        // The id still belongs to the process, because waiting for it needs `&mut self` or drops
        // it.
        tool::must(kill(self.0.id(), signal));
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn wait(&mut self, at_most: Duration) -> ExitStatus {
        let deadline = Instant::now() + at_most;
        loop {
            if let Some(status) = tool::must(self.0.try_wait()) {
                return status;
            }
            assert!(Instant::now() < deadline, "process {} has not ended within {at_most:?}", self.0.id());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// kill(2).
pub(crate) fn kill(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: kill takes two integers and touches no memory.
    let status = unsafe { libc::kill(pid.cast_signed(), signal) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
