//! Moves debug information out of the programs into files beside them.
//!
//! It is most of their size. A program names its file (`.gnu_debuglink`), so debuggers, profilers
//! and Rust's backtraces find it in the program's directory; without it they still name functions,
//! from the symbol table, which stays.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::command;

/// The name of the file for a program.
pub(super) fn file_name(program: &str) -> String {
    format!("{program}.debug")
}

/// Moves the debug information of `binary` into the file that belongs to the program `name`, in the
/// same directory.
pub(super) fn separate(binary: &Path, name: &str) -> Result<PathBuf> {
    let file = binary.with_file_name(file_name(name));
    command::run(Command::new("objcopy").arg("--only-keep-debug").arg(binary).arg(&file))?;
    let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
    link.push(&file);
    command::run(Command::new("objcopy").arg("--strip-debug").arg(link).arg(binary))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn sections(binary: &Path) -> String {
        let output = Command::new("objdump").arg("--section-headers").arg(binary).output().expect("objdump");
        String::from_utf8(output.stdout).expect("names are text")
    }

    #[test]
    fn debug_information_moves_into_a_file_that_the_program_names() {
        let directory = tempfile::tempdir().expect("a directory");
        let binary = directory.path().join("unfinished");
        // Not this test itself: its profile decides whether it has debug information.
        let source = directory.path().join("program.rs");
        fs::write(&source, "fn main() {}").expect("a source");
        let compiled = Command::new("rustc").args(["-g", "-o"]).arg(&binary).arg(&source).status();
        assert!(compiled.expect("rustc").success());
        let file = separate(&binary, "pktvisord").expect("separated");
        assert_eq!(file, directory.path().join("pktvisord.debug"));
        let (program, debug) = (sections(&binary), sections(&file));
        assert!(!program.contains(".debug_line") && program.contains(".gnu_debuglink"), "{program}");
        assert!(debug.contains(".debug_line"), "{debug}");
        assert!(Command::new(&binary).status().expect("it still runs").success());
    }
}
