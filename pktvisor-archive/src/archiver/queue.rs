//! Files that wait to be written.

use std::collections::VecDeque;

use bytes::Bytes;

/// Files that may wait: two hours of periods.
const FILES_MAX: usize = 120;
/// Bytes that may wait.
const BYTES_MAX: usize = 16 << 20;

/// A file and its key.
#[derive(Debug)]
pub(super) struct WaitingFile {
    pub key: String,
    pub file: Bytes,
}

/// Oldest first.
#[derive(Debug, Default)]
pub(super) struct FileQueue {
    files: VecDeque<WaitingFile>,
    bytes: usize,
}

impl FileQueue {
    pub(super) fn push(&mut self, waiting: WaitingFile) {
        self.bytes += waiting.file.len();
        self.files.push_back(waiting);
    }

    pub(super) fn first(&self) -> Option<&WaitingFile> {
        self.files.front()
    }

    pub(super) fn pop(&mut self) -> Option<WaitingFile> {
        let first = self.files.pop_front()?;
        self.bytes -= first.file.len();
        Some(first)
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether another file would be too many.
    pub(super) fn is_full(&self) -> bool {
        self.files.len() >= FILES_MAX || self.bytes >= BYTES_MAX
    }

    /// Whether there are too many.
    pub(super) fn is_over_full(&self) -> bool {
        self.files.len() > FILES_MAX || self.bytes > BYTES_MAX
    }
}
