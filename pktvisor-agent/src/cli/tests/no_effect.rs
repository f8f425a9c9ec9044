//! Options that have no effect on the given target or in the given mode.

use std::path::PathBuf;

use capture_file::Pace;
use pktvisor_capture::attach::HookChoice;
use pktvisor_definitions::Mode;

use super::{options, refused};

#[test]
fn options_of_live_capture_are_read_and_ignored_with_a_warning_for_files() {
    let words = ["--mode", "tap", "--force", "--cpu-budget", "25", "--bpf-object", "p.o"];
    let live = options(&[&words[..], &["mirror0"]].concat());
    assert_eq!((live.mode, live.force, live.cpu_budget_pct), (Some(Mode::Tap), true, Some(25)));
    assert_eq!(live.bpf_object, Some(PathBuf::from("p.o")));
    assert!(live.warnings.is_empty());
    let file = options(&[&words[..], &["t.pcap"]].concat());
    assert_eq!((file.mode, file.cpu_budget_pct, file.bpf_object.clone()), (None, None, None));
    assert_eq!(file.warnings.len(), 4, "{:?}", file.warnings);
    assert_eq!(refused(&["--mode", "magic", "eth0"]).0, 2);
}

#[test]
fn a_hook_is_for_inline_mode() {
    let options = |words: &str| options(&words.split(' ').collect::<Vec<_>>());
    for words in ["--hook tcx eth0", "--hook tcx --mode inline eth0", "--hook tcx any"] {
        let live = options(words);
        assert_eq!((live.hook, live.warnings.len()), (HookChoice::Tcx, 0), "{words}");
    }
    for words in ["--hook xdp --mode tap eth0", "--hook xdp --mode afpacket eth0", "--hook xdp t.pcap"] {
        assert_eq!(options(words).warnings.len(), 1, "{words}");
    }
    assert_eq!(refused(&["--hook", "netfilter", "eth0"]).0, 2);
}

#[test]
fn busy_polling_is_for_interfaces_and_excludes_a_budget() {
    let live = options(&["--busy-drain", "mirror0"]);
    assert!(live.busy_drain && live.warnings.is_empty());
    let file = options(&["--busy-drain", "t.pcap"]);
    assert!(!file.busy_drain);
    assert_eq!(file.warnings.len(), 1, "{:?}", file.warnings);
    assert_eq!(options(&["--busy-drain", "--mode", "afpacket", "eth0"]).warnings.len(), 1);
    assert_eq!(refused(&["--busy-drain", "--cpu-budget", "50", "eth0"]).0, 2);
}

#[test]
fn options_for_files_are_ignored_on_an_interface_with_a_warning() {
    let options = options(&["--summary", "--serve", "--pace", "realtime", "-p", "1", "eth0"]);
    assert!(!options.summary && !options.serve);
    assert_eq!(options.pace, Pace::Max);
    assert_eq!(options.warnings.len(), 3, "{:?}", options.warnings);
    for (warning, option) in options.warnings.iter().zip(["--summary", "--serve", "--pace"]) {
        assert!(warning.starts_with(&format!("{option} is for capture files, ignored")), "{warning}");
    }
}

#[test]
fn authorities_are_for_a_collector_that_speaks_tls() {
    for (url, warnings) in [("https://c", 0), ("HTTPS://c", 0), ("http://c", 1)] {
        let options = options(&["--otlp-endpoint", url, "--otlp-ca", "ca.pem", "eth0"]);
        assert_eq!(options.warnings.len(), warnings, "{url}: {:?}", options.warnings);
    }
}

#[test]
fn a_listen_address_without_serving_is_warned_of() {
    assert_eq!(options(&["-p", "1", "-l", "::", "x.pcap"]).warnings.len(), 2);
    assert!(options(&["-p", "1", "-l", "::", "--serve", "x.pcap"]).warnings.is_empty());
    assert!(options(&["-p", "1", "-l", "::", "any"]).warnings.is_empty());
    assert_eq!(options(&["--allow-host", "a,b", "x.pcap"]).warnings.len(), 1);
    assert_eq!(options(&["--allow-packets", "x.pcap"]).warnings.len(), 1);
    let live = options(&["--host-auto", "--allow-packets", "eth0"]);
    assert_eq!((live.warnings.len(), live.host_auto, live.allow_packets), (1, false, true));
    assert_eq!(options(&["--allow-origin", "http://a", "x.pcap"]).warnings.len(), 1);
}
