//! The meaning of TARGET.

use std::ffi::OsStr;
use std::fs;

use super::super::target::{Target, TargetError, resolve};
use super::{Machine, file, refused};

fn target_of(text: impl AsRef<OsStr>) -> Result<Target, TargetError> {
    resolve(text.as_ref(), &Machine)
}

fn interface_named(text: &str) -> String {
    match target_of(text) {
        Ok(Target::Interface(interface)) => interface.name,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_dash_is_stdin() {
    assert_eq!(target_of("-").unwrap(), Target::Stdin);
}

#[test]
fn names_that_look_like_captures_are_files_whether_they_exist_or_not() {
    for name in [
        "no.pcap",
        "no.pcapng",
        "no.cap",
        "no.pcap.gz",
        "no.pcapng.zst",
        "no.cap.zst",
        "trace.pcap17",
        "./eth0",
        "/dev/stdin",
        "dir/any",
    ] {
        assert_eq!(target_of(name).unwrap(), file(name));
    }
}

#[test]
fn an_address_is_the_interface_that_owns_it_one_that_is_up_first() {
    assert_eq!(interface_named("192.0.2.1"), "eth0");
    assert_eq!(interface_named("2001:db8::1"), "eth0");
    assert_eq!(interface_named("2001:0DB8::0:1"), "eth0");
    assert_eq!(interface_named("::ffff:192.0.2.1"), "eth0");
    assert_eq!(interface_named("fe80::1%dummy0"), "dummy0");
    // Not owned, but a name.
    assert_eq!(interface_named("10.9.9.9"), "10.9.9.9");
}

#[test]
fn any_and_interface_names_are_live() {
    assert_eq!(target_of("any").unwrap(), Target::AnyInterface);
    assert_eq!(interface_named("mirror0"), "mirror0");
    assert!(target_of("mirror0").unwrap().is_live() && Target::AnyInterface.is_live());
    assert!(!Target::Stdin.is_live() && !file("x").is_live());
}

#[test]
fn an_unknown_target_lists_the_interfaces_with_exit_code_1() {
    let (code, message) = refused(&["eth9"]);
    assert_eq!(code, 1);
    assert_eq!(
        message,
        "cannot capture from \"eth9\": there is no interface of that name, and no file; interfaces here: \
         dummy0 (down 192.0.2.1 fe80::1), eth0 (192.0.2.1 2001:db8::1 fe80::1), mirror0, 10.9.9.9"
    );
    let (code, message) = refused(&["198.51.100.1"]);
    assert_eq!(code, 1);
    assert!(message.contains("no interface has that address"), "{message}");
}

#[test]
fn directories_are_never_targets() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("x.pcap")] {
        fs::create_dir_all(&path).unwrap();
        let error = target_of(&path).unwrap_err();
        assert!(matches!(error, TargetError::Directory { .. }), "{error}");
    }
}
