//! What the kernel keeps a serving agent from doing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::captures::demo;
use crate::shell::Shell;
use crate::signals::{database, wait_for};
use crate::support::Served;

/// `Seccomp` and `NoNewPrivs` of every thread (proc_pid_status(5)).
fn restricted_threads(process: u32) -> Vec<[Option<String>; 2]> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let statuses = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    let value = |status: &str, key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.map(|value| value.trim().to_owned())
    };
    statuses.map(|status| ["Seccomp", "NoNewPrivs"].map(|key| value(&status, key))).collect()
}

#[test]
fn a_database_is_opened_again_in_its_directory_and_nowhere_else() {
    let (inside, outside) = (Shell::with("t.pcap", &demo()), Shell::new());
    let [path, capture] = ["asn.mmdb", "t.pcap"].map(|name| inside.path().join(name));
    let octets = fs::read(database("asn-u16.mmdb")).unwrap();
    let replace = |link: &Path| {
        let new = inside.path().join("new");
        std::os::unix::fs::symlink(link, &new).unwrap();
        fs::rename(new, &path).unwrap();
    };
    fs::write(&path, &octets).unwrap();
    let words =
        ["-H", "192.0.2.10", "--geo-asn", path.to_str().unwrap(), capture.to_str().unwrap(), "--pace", "1x"];
    let served = Served::start(&words);
    let sandbox = served.json("/api/v1/metrics/app")["app"]["sandbox"].take();
    if sandbox["files"] == "unavailable" {
        println!("skipped: the kernel has no Landlock");
        return;
    }
    // Linux before 6.2 does not know the truncation of files.
    assert!(sandbox["files"] == "enforced" || sandbox["files"] == "partial", "{sandbox}");
    for name in ["a.mmdb", "b.mmdb"] {
        fs::write(inside.path().join(name), &octets).unwrap();
        fs::write(outside.path().join(name), &octets).unwrap();
    }
    replace(&inside.path().join("a.mmdb"));
    served.signal("HUP");
    wait_for("a link in the directory", || served.stderr().contains("geo database opened again"));
    replace(&outside.path().join("b.mmdb"));
    served.signal("HUP");
    wait_for("a link that leads out of it", || served.stderr().contains("Permission denied"));
    let (_, _, stderr) = served.stop("TERM");
    assert_eq!(stderr.matches("geo database opened again").count(), 1, "{stderr}");
}

#[test]
fn every_thread_is_restricted_unless_the_user_wants_none_to_be() {
    let shell = Shell::with("t.pcap", &demo());
    let capture = shell.path().join("t.pcap");
    let capture = capture.to_str().unwrap();
    let mut served = Served::start(&[capture]);
    served.line();
    let restricted = restricted_threads(served.id());
    assert!(restricted.len() > 2, "{restricted:?}");
    for thread in restricted {
        assert_eq!(thread, [Some("2".to_owned()), Some("1".to_owned())]);
    }
    let (_, _, stderr) = served.stop("TERM");
    assert!(stderr.contains("system calls restricted"), "{stderr}");
    let mut served = Served::start(&["--no-sandbox", capture]);
    served.line();
    let sandbox = served.json("/api/v1/metrics/app")["app"]["sandbox"].take();
    assert_eq!(sandbox, serde_json::json!({ "files": "off", "connections": "off", "system_calls": "off" }));
    for thread in restricted_threads(served.id()) {
        assert_eq!(thread, [Some("0".to_owned()), Some("0".to_owned())]);
    }
}

#[test]
fn a_pipe_of_the_shell_can_be_read() {
    let shell = Shell::with("t.pcap", &demo());
    let command = format!("{} <(cat t.pcap)", env!("CARGO_BIN_EXE_pktvisord"));
    let output = Command::new("bash").args(["-c", &command]).current_dir(shell.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && output.stdout.starts_with(b"{"), "{said}");
}
