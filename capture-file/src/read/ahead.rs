//! Reading ahead in a thread of its own, so that a capture is decompressed while its packets are
//! used.
//!
//! The memory is bounded: pieces of one size go round. What the reader below returns, bytes and
//! errors, arrives in the same order, in the same portions.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes of a piece.
const PIECE_BYTES: usize = 128 << 10;

/// Pieces that go round.
const PIECES: usize = 4;

/// When a piece is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// With the bytes of one read, because the next one may wait for the writer of a stream.
    AtOnce,
    /// When it has no room for another read.
    Full,
}

/// What the thread passes on.
enum Passed {
    Piece(AheadPiece),
    End,
    Failed(io::Error),
}

/// Bytes, of which the first ones are used.
struct AheadPiece {
    bytes: Vec<u8>,
    len: usize,
}

/// The bytes of a reader that belongs to another thread.
pub(super) struct ReadAhead {
    passed: Receiver<Passed>,
    used: SyncSender<AheadPiece>,
    piece: Option<AheadPiece>,
    taken: usize,
    is_over: bool,
}

impl ReadAhead {
    /// Reads `reader` in a new thread, `portion` bytes at once. Returns the reader if there can be no
    /// thread.
    pub(super) fn start(
        reader: Box<dyn Read + Send>,
        portion: usize,
        passing: Passing,
    ) -> Result<Self, Box<dyn Read + Send>> {
        // Room for all pieces and the end: only an empty channel makes anybody wait.
        let (pass, passed) = sync_channel(PIECES + 1);
        let (used, free) = sync_channel(PIECES + 1);
        let (give, given) = sync_channel::<Box<dyn Read + Send>>(1);
        let portion = portion.min(PIECE_BYTES);
        let started = thread::Builder::new().name("replay-unpack".to_owned()).spawn(move || {
            if let Ok(reader) = given.recv() {
                read_to_end(reader, portion, passing, &pass, &free);
            }
        });
        if started.is_err() {
            return Err(reader);
        }
        for _ in 0..PIECES {
            // The thread waits for the reader, so it takes them.
            let _ = used.send(AheadPiece { bytes: vec![0; PIECE_BYTES], len: 0 });
        }
        give.send(reader).map_err(|refused| refused.0)?;
        Ok(Self { passed, used, piece: None, taken: 0, is_over: false })
    }

    fn next_piece(&mut self) -> io::Result<()> {
        if let Some(piece) = self.piece.take() {
            // The thread has ended: it needs no more pieces.
            let _ = self.used.send(piece);
        }
        self.taken = 0;
        match self.passed.recv() {
            Ok(Passed::Piece(piece)) => self.piece = Some(piece),
            Ok(Passed::End) => self.is_over = true,
            Ok(Passed::Failed(error)) => {
                self.is_over = true;
                return Err(error);
            }
            Err(_) => {
                self.is_over = true;
                return Err(io::Error::other("the thread that reads the capture has ended"));
            }
        }
        Ok(())
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(piece) = &self.piece {
                let mut left = piece.bytes.get(self.taken..piece.len).unwrap_or_default();
                if !left.is_empty() {
                    let read = left.read(buffer)?;
                    self.taken += read;
                    return Ok(read);
                }
            }
            if self.is_over || buffer.is_empty() {
                return Ok(0);
            }
            self.next_piece()?;
        }
    }
}

/// The thread. It ends with the reader's bytes, or when nobody wants them.
fn read_to_end(
    mut reader: Box<dyn Read + Send>,
    portion: usize,
    passing: Passing,
    pass: &SyncSender<Passed>,
    free: &Receiver<AheadPiece>,
) {
    while let Ok(mut piece) = free.recv() {
        piece.len = 0;
        let end = loop {
            // A whole portion each time: how many bytes a decompressor loses where it meets damage
            // depends on it.
            let Some(room) = piece.bytes.get_mut(piece.len..piece.len + portion) else { break None };
            match reader.read(room) {
                Ok(0) => break Some(Passed::End),
                Ok(read) => piece.len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Some(Passed::Failed(error)),
            }
            if passing == Passing::AtOnce {
                break None;
            }
        };
        if piece.len > 0 && pass.send(Passed::Piece(piece)).is_err() {
            return;
        }
        if let Some(end) = end {
            // Perhaps nobody wants to know any more.
            let _ = pass.send(end);
            return;
        }
    }
}
