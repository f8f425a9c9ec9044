//! Every committed input of the fuzzer through its target, and the bundled captures.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fuzz_targets::{TARGETS, TargetFunction};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a directory; none if there is no such directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Inputs on which the target panics.
fn failures(run: TargetFunction, inputs: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    let fails = |input: &Vec<u8>| catch_unwind(AssertUnwindSafe(|| run(input))).is_err();
    inputs.into_iter().filter(|(_, input)| fails(input)).map(|(name, _)| name).collect()
}

#[test]
fn every_committed_input_keeps_the_promises() {
    let mut count = 0;
    for &(name, run) in TARGETS {
        let inputs = files(&checkout().join("fuzz/corpus").join(name));
        count += inputs.len();
        let inputs = inputs.into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap()));
        assert_eq!(failures(run, inputs), Vec::<String>::new(), "{name}");
    }
    assert!(count > 0, "there is no corpus");
}

#[test]
fn bundled_captures_and_odd_inputs_keep_the_promises() {
    for &(name, run) in TARGETS {
        let odd = [vec![], vec![0], vec![0xff; 3], vec![0; 300], (0..=255).collect(), vec![0xff; 5000]];
        let odd = odd.into_iter().map(|input| (format!("{input:?}"), input));
        assert_eq!(failures(run, odd), Vec::<String>::new(), "{name}");
    }
    let captures = || {
        let paths = files(&checkout().join("captures/faults"));
        paths.into_iter().map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
    };
    for kind in 0..4 {
        let inputs = captures().map(|(name, file)| (name, [&[kind], &*file].concat()));
        assert_eq!(failures(fuzz_targets::captures::run, inputs), Vec::<String>::new(), "kind {kind}");
        #[cfg(feature = "agent")]
        let inputs = captures().map(|(name, file)| (name, [&[0, kind * 70], &*file].concat()));
        #[cfg(feature = "agent")]
        assert_eq!(failures(fuzz_targets::pipeline::run, inputs), Vec::<String>::new(), "kind {kind}");
    }
}

#[test]
#[cfg(all(feature = "agent", feature = "terminal"))]
fn every_target_is_linked_with_the_fuzzer() {
    let sources = files(&checkout().join("fuzz/fuzz_targets"));
    let names: Vec<_> = sources.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}
