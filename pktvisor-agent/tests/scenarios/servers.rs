//! The name servers: Knot DNS as the upstream, Unbound as the resolver that forwards to it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use testbed::{Namespace, Process};

use crate::network::{RESOLVER, UPSTREAM};
use crate::zones;

/// A killed server ends within milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Knot DNS, authoritative for all zones.
pub(crate) struct Upstream {
    process: Process,
    _directory: TempDir,
}

impl Upstream {
    /// Starts it at this address.
    pub(crate) fn start(namespace: &Namespace, address: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::write(path.join("knot.conf"), knot_configuration(path, address)).unwrap();
        for zone in zones::all() {
            fs::write(path.join(&zone.name), zone.text).unwrap();
        }
        let mut command = namespace.command("knotd");
        command.arg("-c").arg(path.join("knot.conf"));
        let process = start_and_wait(&mut command, "server started");
        Self { process, _directory: directory }
    }

    /// Lets it hang: it answers nothing, and nothing refuses its packets either.
    pub(crate) fn hang(&self) {
        self.process.signal(libc::SIGSTOP);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.process.signal(libc::SIGCONT);
    }
}

fn knot_configuration(path: &Path, address: &str) -> String {
    let path = path.display();
    let mut text = format!(
        "server:\n  rundir: {path}\n  listen: {address}@53\n  udp-workers: 1\n  tcp-workers: 1\n  \
           background-workers: 1\n\
         log:\n  - target: stderr\n    any: info\n\
         database:\n  storage: {path}/db\n\
         zone:\n"
    );
    for zone in zones::all() {
        let _ = writeln!(
            text,
            "  - domain: {0}\n    file: {path}/{0}\n    journal-content: none\n    zonefile-load: whole",
            zone.name
        );
    }
    text
}

/// Unbound, which answers the clients from its cache or from the upstream.
pub(crate) struct Resolver {
    process: Process,
    _directory: TempDir,
}

impl Resolver {
    pub(crate) fn start(namespace: &Namespace) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("unbound.conf");
        fs::write(&path, unbound_configuration(directory.path())).unwrap();
        let mut command = namespace.command("unbound");
        command.arg("-d").arg("-c").arg(path);
        let process = start_and_wait(&mut command, "start of service");
        Self { process, _directory: directory }
    }

    /// Restarts it.
    pub(crate) fn restart(&mut self, namespace: &Namespace) {
        self.process.signal(libc::SIGKILL);
        self.process.wait(PATIENCE);
        *self = Self::start(namespace);
    }
}

fn unbound_configuration(path: &Path) -> String {
    format!(
        "server:\n  directory: {0}\n  chroot: \"\"\n  username: \"\"\n  pidfile: {0}/pid\n  \
           use-syslog: no\n  logfile: \"\"\n  verbosity: 1\n  num-threads: 1\n  interface: {RESOLVER}\n  \
           outgoing-interface: {RESOLVER}\n  access-control: 10.53.0.0/16 allow\n  \
           module-config: iterator\n  local-zone: test. nodefault\n\
         remote-control:\n  control-enable: no\n\
         forward-zone:\n  name: .\n  forward-addr: {UPSTREAM}\n",
        path.display()
    )
}

/// Starts a server and waits until it prints this on stderr.
fn start_and_wait(command: &mut Command, ready: &str) -> Process {
    let mut process =
        Process::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()));
    let mut stderr = BufReader::new(process.child().stderr.take().unwrap());
    let (mut text, mut line) = (String::new(), String::new());
    while stderr.read_line(&mut line).unwrap() > 0 {
        if line.contains(ready) {
            // A full pipe would stop the server.
            std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
            return process;
        }
        text += &line;
        line.clear();
    }
    panic!("{command:?} ended before it served: {text}");
}
