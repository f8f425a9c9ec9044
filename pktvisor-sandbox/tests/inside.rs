//! What a process can do inside. Each test runs itself again in a process of its own, because
//! nothing leads out of the sandbox.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use pktvisor_sandbox::{Needs, Protection, Sandbox, enter};

/// In the process that enters the sandbox: a directory for its files.
const INSIDE: &str = "PKTVISOR_TEST_INSIDE";

/// Runs the test of this name again, inside, and shows what it says if it fails.
fn passes_inside(test: &str, inside: impl FnOnce(&Path)) {
    if let Some(directory) = std::env::var_os(INSIDE) {
        return inside(Path::new(&directory));
    }
    // Removed here: nothing can be removed inside.
    let directory = tempfile::tempdir().expect("a directory");
    let program = std::env::current_exe().expect("this program");
    // One thread, as the agent has when it enters.
    let arguments = ["--exact", test, "--nocapture", "--test-threads", "1"];
    let output =
        Command::new(program).args(arguments).env(INSIDE, directory.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Enters, and skips the test if the kernel has no Landlock.
fn enter_with_files(readable: &[PathBuf]) -> Option<Sandbox> {
    enter_with(&Needs { readable: readable.to_vec(), ..Needs::default() })
}

/// The same with other needs.
fn enter_with(needs: &Needs) -> Option<Sandbox> {
    let sandbox = enter(needs);
    if let Protection::Unavailable(reason) = &sandbox.files {
        println!("skipped: {reason}");
        return None;
    }
    Some(sandbox)
}

#[test]
fn given_files_can_be_read_and_no_others() {
    passes_inside("given_files_can_be_read_and_no_others", |directory| {
        let given = directory.join("given");
        fs::create_dir(&given).unwrap();
        fs::write(given.join("a"), "a").unwrap();
        fs::write(directory.join("secret"), "b").unwrap();
        let Some(_) = enter_with_files(std::slice::from_ref(&given)) else { return };
        // From every thread that starts later, too.
        let read = |path: PathBuf| thread::spawn(move || fs::read(path)).join().unwrap();
        assert_eq!(read(given.join("a")).unwrap(), b"a");
        for secret in [directory.join("secret"), "/etc/passwd".into()] {
            assert_eq!(read(secret).unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        let refused = fs::write(given.join("a"), "c").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        assert!(fs::remove_file(given.join("a")).is_err());
        assert!(fs::read("/proc/self/status").is_ok() && fs::read_dir("/sys/class/net").is_ok());
    });
}

#[test]
fn no_program_can_be_run() {
    passes_inside("no_program_can_be_run", |_| {
        let needs = Needs { readable: vec!["/bin".into(), "/usr/bin".into()], ..Needs::default() };
        assert_eq!(enter(&needs).system_calls, Protection::Enforced);
        assert!(Command::new("/bin/true").status().is_err());
    });
}

#[test]
fn connections_are_accepted_but_not_opened() {
    passes_inside("connections_are_accepted_but_not_opened", |_| {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = client.local_addr().unwrap();
        let mut connected = TcpStream::connect(address).unwrap();
        let Some(sandbox) = enter_with_files(&[]) else { return };
        let (mut accepted, _) = client.accept().unwrap();
        connected.write_all(b"x").unwrap();
        let mut byte = [0];
        accepted.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"x");
        if sandbox.connections == Protection::Enforced {
            let refused = TcpStream::connect(elsewhere.local_addr().unwrap()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        }
    });
}

#[test]
fn files_are_written_in_the_given_directory_only() {
    passes_inside("files_are_written_in_the_given_directory_only", |directory| {
        let [given, other] = ["given", "other"].map(|name| directory.join(name));
        fs::create_dir(&given).unwrap();
        fs::create_dir(&other).unwrap();
        let needs = Needs { writable: vec![given.clone()], ..Needs::default() };
        let Some(_) = enter_with(&needs) else { return };
        let new = given.join("new");
        fs::create_dir(&new).unwrap();
        fs::write(new.join("part"), "a").unwrap();
        fs::File::open(new.join("part")).unwrap().sync_all().unwrap();
        fs::rename(new.join("part"), new.join("whole")).unwrap();
        assert_eq!(fs::read(new.join("whole")).unwrap(), b"a");
        assert!(fs::write(other.join("a"), "a").is_err() && fs::create_dir(other.join("b")).is_err());
        assert!(std::os::unix::fs::symlink(&other, given.join("link")).is_err());
        fs::remove_file(new.join("whole")).unwrap();
        fs::remove_dir(new).unwrap();
    });
}

#[test]
fn connections_are_opened_to_the_given_port_only() {
    passes_inside("connections_are_opened_to_the_given_port_only", |_| {
        let [given, other] = [0, 0].map(|_| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
        let needs = Needs { ports: vec![given.port()], ..Needs::default() };
        let Some(sandbox) = enter_with(&needs) else { return };
        let error = |address| TcpStream::connect(address).unwrap_err().kind();
        // Nobody listens, but the kernel asked.
        assert_eq!(error(given), ErrorKind::ConnectionRefused);
        if sandbox.connections == Protection::Enforced {
            assert_eq!(error(other), ErrorKind::PermissionDenied);
        }
    });
}
