//! Giving up capabilities, in processes of their own: a test runs itself again for that.

use std::env;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use pktvisor_capture::privileges::{Capability, Keep, KernelFeatures, check, give_up, threads};
use pktvisor_definitions::Mode;

/// The variable with the part of the process that a test has started.
const PART: &str = "PKTVISOR_TEST_PART";

/// Runs the test of this name again, alone, to play `part`. Returns its output.
fn play(test: &str, part: &str) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", &format!("giving_up::{test}"), "--nocapture", "--test-threads=1"])
        .env(PART, part);
    finish(command)
}

fn finish(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn part() -> Option<String> {
    env::var(PART).ok()
}

fn has(capability: Capability) -> bool {
    threads().unwrap().iter().all(|thread| thread.effective & capability.bitmask() != 0)
}

/// Threads like those of the agent: of tokio, asleep, busy, and waiting for another.
fn start_threads() -> (tokio::runtime::Runtime, mpsc::Sender<()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    thread::spawn(|| thread::sleep(Duration::from_secs(3600)));
    thread::spawn(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || receiver.recv());
    (runtime, sender)
}

#[test]
fn no_thread_keeps_a_capability() {
    const NAME: &str = "no_thread_keeps_a_capability";
    if part().is_none() {
        if !has(Capability::CAP_NET_RAW) {
            return testbed::report_skipped("there is nothing to give up without CAP_NET_RAW");
        }
        play(NAME, "all");
        return;
    }
    let _running = start_threads();
    let before = threads().unwrap();
    assert!(before.len() >= 6 && before.iter().all(|thread| thread.effective != 0), "{before:?}");
    give_up(&Keep::default()).unwrap();
    thread::spawn(|| {
        for thread in threads().unwrap() {
            assert_eq!((thread.all(), thread.no_new_privileges), (0, true), "{thread:?}");
        }
    })
    .join()
    .unwrap();
    // Becoming root again does not help either.
    let status = Command::new("cat").arg("/proc/self/status").output().unwrap().stdout;
    assert!(String::from_utf8(status).unwrap().contains("CapEff:\t0000000000000000"));
}

#[test]
fn only_the_threads_that_need_a_capability_keep_it() {
    const NAME: &str = "only_the_threads_that_need_a_capability_keep_it";
    if part().is_none() {
        if !(has(Capability::CAP_BPF) && has(Capability::CAP_NET_ADMIN)) {
            return testbed::report_skipped("keeping capabilities needs CAP_BPF and CAP_NET_ADMIN to keep");
        }
        play(NAME, "keep");
        return;
    }
    let _running = start_threads();
    give_up(&Keep { everywhere: vec![Capability::CAP_BPF], here: vec![Capability::CAP_NET_ADMIN] }).unwrap();
    // SAFETY: takes nothing and cannot fail.
    let id = unsafe { libc::gettid() };
    let bpf = Capability::CAP_BPF.bitmask();
    let (mut here, mut others) = (0, 0);
    for thread in threads().unwrap() {
        let expected = if thread.id == id {
            here += 1;
            bpf | Capability::CAP_NET_ADMIN.bitmask()
        } else {
            others += 1;
            bpf
        };
        assert_eq!((thread.all(), thread.permitted), (expected, expected), "{thread:?}");
    }
    assert!(here == 1 && others >= 5, "{here} {others}");
}

#[test]
fn missing_capabilities_are_named() {
    const NAME: &str = "missing_capabilities_are_named";
    if part().is_some() {
        let kernel = KernelFeatures::running();
        for mode in Mode::ALL {
            println!(
                "{}",
                check(mode, &kernel).map_or_else(|error| error.to_string(), |()| format!("{mode}: yes"))
            );
        }
        return;
    }
    testbed::require!(testbed::Need::Program("setpriv"));
    if !has(Capability::CAP_BPF) || !has(Capability::CAP_NET_ADMIN) {
        return testbed::report_skipped("only a process with the capabilities can grant them");
    }
    let granted = |capabilities: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", capabilities, "--inh-caps", capabilities, "--no-new-privs"]);
        command.arg(env::current_exe().unwrap());
        command
            .args(["--exact", &format!("giving_up::{NAME}"), "--nocapture", "--test-threads=1"])
            .env(PART, "check");
        finish(command)
    };
    let text = granted("-all,+net_raw");
    assert!(text.contains("inline mode without CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN;"), "{text}");
    assert!(text.contains("tap mode without CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN;"), "{text}");
    assert!(text.contains("afpacket: yes"), "{text}");
    let text = granted("-all,+net_raw,+net_admin,+bpf,+perfmon");
    assert!(["inline: yes", "tap: yes", "afpacket: yes"].iter().all(|line| text.contains(line)), "{text}");
}
