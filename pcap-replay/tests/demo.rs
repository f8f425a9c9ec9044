//! The command in the README of the bundled capture generates exactly that capture.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_documented_command_generates_the_bundled_capture_and_its_answer() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    let readme = fs::read_to_string(bundled.join("README.md")).unwrap();
    let prefix = "    cargo run -p pcap-replay -- ";
    let command = readme.lines().find_map(|line| line.strip_prefix(prefix)).expect("a command in the README");

    let made = tempfile::tempdir().unwrap();
    fs::create_dir(made.path().join("captures")).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_pcap-replay"))
        .args(command.split_whitespace())
        .current_dir(made.path())
        .status()
        .unwrap();
    assert!(status.success());
    for file in ["demo.pcap", "demo.answer.json"] {
        let same = fs::read(bundled.join(file)).unwrap()
            == fs::read(made.path().join("captures").join(file)).unwrap();
        assert!(same, "captures/{file} differs from the output of the command in captures/README.md");
    }
}

#[test]
fn the_bundled_files_stay_small() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    assert!(fs::metadata(bundled.join("demo.pcap")).unwrap().len() < 600_000);
    assert!(fs::metadata(bundled.join("demo.answer.json")).unwrap().len() < 100_000);
}
