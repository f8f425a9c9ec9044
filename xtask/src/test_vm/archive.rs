//! A cpio archive as the kernel unpacks it into memory (initramfs buffer format: "newc").

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// An archive that is being written. Entries keep their order, and directories come before their
/// content.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    directories: BTreeSet<PathBuf>,
}

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const CONSOLE: u32 = 0o020_600;

impl Archive {
    /// A file at an absolute path, executable by all.
    pub(super) fn file(&mut self, path: &Path, content: &[u8]) {
        if let Some(parent) = path.parent() {
            self.directory(parent);
        }
        self.entry(PROGRAM, path, content, [0, 0]);
    }

    /// A directory and those above it.
    pub(super) fn directory(&mut self, path: &Path) {
        for directory in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if directory.parent().is_some() && self.directories.insert(directory.to_owned()) {
                self.entry(DIRECTORY, directory, &[], [0, 0]);
            }
        }
    }

    /// The device for the first process's input and output.
    pub(super) fn console(&mut self) {
        self.directory(Path::new("/dev"));
        self.entry(CONSOLE, Path::new("/dev/console"), &[], [5, 1]);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry(0, Path::new("TRAILER!!!"), &[], [0, 0]);
        self.bytes
    }

    fn entry(&mut self, mode: u32, path: &Path, content: &[u8], device: [u32; 2]) {
        let relative: PathBuf = path.components().filter(|part| *part != Component::RootDir).collect();
        let mut name = relative.into_os_string().into_encoded_bytes();
        name.push(0);
        self.entries += 1;
        self.bytes.extend(b"070701");
        let [major, minor] = device;
        let fields =
            [self.entries, mode, 0, 0, 1, 0, content.len() as u32, 0, 0, major, minor, name.len() as u32, 0];
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_come_once_and_before_their_content() {
        let mut archive = Archive::default();
        archive.file(Path::new("/a/b/c"), b"12345");
        archive.file(Path::new("/a/b/d"), b"");
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        let at = |name: &str| text.find(name).expect("a name in the archive");
        assert_eq!(text.matches("a/b\0").count(), 1);
        assert!(at("a/b\0") < at("a/b/c\0") && at("a/b/c\0") < at("a/b/d\0"));
        assert!(at("a/b/d\0") < at("TRAILER!!!\0"));
        assert_eq!(bytes.len() % 4, 0);
    }
}
