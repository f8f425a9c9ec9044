//! Others shorten or overwrite a mapped file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;

use mapped_file::MappedFile;

const LEN: usize = 1 << 20;
/// Marks a test that runs again, in a process of its own that may die.
const IN_CHILD: &str = "MAPPED_FILE_TEST_CHILD";

/// A file without a name, each byte 7.
fn sevens() -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![7; LEN]).unwrap();
    file
}

#[test]
fn a_file_is_mapped_whole() {
    let mut mapped = MappedFile::new(&sevens()).unwrap();
    mapped.advise_sequential_reads();
    assert!(mapped.bytes().iter().all(|byte| *byte == 7) && mapped.bytes().len() == LEN);
    mapped.release(0..LEN);
    assert!(mapped.bytes().iter().all(|byte| *byte == 7));
    assert!(!mapped.is_damaged());
}

#[test]
fn pages_of_a_shortened_file_read_as_zeros() {
    let file = sevens();
    let mapped = MappedFile::new(&file).unwrap();
    file.set_len(5000).unwrap();
    assert_eq!(mapped.bytes()[4999], 7);
    assert!(!mapped.is_damaged());
    assert!(mapped.bytes()[2 * LEN / 3..].iter().all(|byte| *byte == 0));
    assert!(mapped.is_damaged());
    assert_eq!(mapped.bytes()[4999], 7);
}

#[test]
fn damage_to_one_file_is_not_reported_for_other_files() {
    let files = [sevens(), sevens()];
    let [damaged, whole] = files.each_ref().map(|file| MappedFile::new(file).unwrap());
    files[0].set_len(0).unwrap();
    assert_eq!((damaged.bytes()[0], whole.bytes()[0]), (0, 7));
    assert_eq!((damaged.is_damaged(), whole.is_damaged()), (true, false));
    drop(damaged);
    assert!(!MappedFile::new(&files[1]).unwrap().is_damaged());
}

#[test]
fn many_threads_may_read_a_file_that_was_emptied() {
    let file = sevens();
    let mapped = MappedFile::new(&file).unwrap();
    file.set_len(0).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(mapped.bytes().iter().all(|byte| *byte == 0)));
        }
    });
    assert!(mapped.is_damaged());
}

#[test]
fn bytes_written_into_the_file_appear_in_the_mapping() {
    let mut file = sevens();
    let mapped = MappedFile::new(&file).unwrap();
    file.rewind().unwrap();
    file.write_all(&[8]).unwrap();
    assert_eq!(mapped.bytes()[..2], [8, 7]);
}

#[test]
fn mapping_a_file_that_cannot_be_mapped_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for file in [tempfile::tempfile().unwrap(), File::open(folder.path()).unwrap()] {
        assert!(MappedFile::new(&file).is_err());
    }
    let file = folder.path().join("to-be-written");
    let written = OpenOptions::new().write(true).create_new(true).open(file).unwrap();
    written.set_len(1).unwrap();
    assert!(MappedFile::new(&written).is_err());
}

#[test]
fn a_file_beyond_the_limit_of_guarded_files_is_refused() {
    if !in_child("a_file_beyond_the_limit_of_guarded_files_is_refused") {
        return;
    }
    let file = sevens();
    let mut mapped: Vec<_> = (0..64).map(|_| MappedFile::new(&file).unwrap()).collect();
    assert_eq!(MappedFile::new(&file).unwrap_err().to_string(), "too many files are mapped");
    mapped.pop();
    mapped.push(MappedFile::new(&file).unwrap());
}

#[test]
fn sigbus_in_an_unguarded_mapping_still_ends_the_process() {
    let Some(child) = child("sigbus_in_an_unguarded_mapping_still_ends_the_process") else {
        let _guarded = MappedFile::new(&sevens()).unwrap();
        let file = sevens();
        // SAFETY: it is only read; the test wants the fault of the shortened file.
        let map = unsafe { memmap2::Mmap::map(&file) }.unwrap();
        file.set_len(0).unwrap();
        std::process::exit(i32::from(map[0]));
    };
    assert_eq!(child.signal(), Some(libc::SIGBUS));
}

#[test]
fn a_sigbus_that_a_process_sent_still_ends_the_process() {
    let Some(child) = child("a_sigbus_that_a_process_sent_still_ends_the_process") else {
        let _guarded = MappedFile::new(&sevens()).unwrap();
        // The first signal removes the standard library's handler, as it would without ours.
        for _ in 0..2 {
            // SAFETY: sends a signal to this process.
            unsafe { libc::raise(libc::SIGBUS) };
        }
        return;
    };
    assert_eq!(child.signal(), Some(libc::SIGBUS));
}

#[test]
fn files_mapped_after_the_earlier_action_ignored_a_signal_are_guarded() {
    if !in_child("files_mapped_after_the_earlier_action_ignored_a_signal_are_guarded") {
        return;
    }
    let _guarded = MappedFile::new(&sevens()).unwrap();
    // Reaches the standard library's handler, which removes itself.
    // SAFETY: sends a signal to this process.
    unsafe { libc::raise(libc::SIGBUS) };
    let file = sevens();
    let mapped = MappedFile::new(&file).unwrap();
    file.set_len(0).unwrap();
    assert_eq!(mapped.bytes()[0], 0);
    assert!(mapped.is_damaged());
}

/// Runs a test again in a process of its own; none in that process.
fn child(test: &str) -> Option<std::process::ExitStatus> {
    if std::env::var_os(IN_CHILD).is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(IN_CHILD, "1");
    Some(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap())
}

/// Whether this is the separate process, which must succeed.
fn in_child(test: &str) -> bool {
    match child(test) {
        Some(status) => {
            assert!(status.success());
            false
        }
        None => true,
    }
}
