//! A database file, and noticing that it has changed.

use std::fs::{self, Metadata};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use maxminddb::{MaxMindDbError, Reader};

use super::UNKNOWN;
use super::record::{Kind, Record};

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// The file cannot be read.
    #[error("cannot read the geo database {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The file is no MaxMind database, or a damaged one.
    #[error("{path} is not a usable MaxMind database: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: MaxMindDbError,
    },
    /// The database is of another kind.
    #[error("{path} is a {found} database where a {expected} database is needed")]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What the database calls itself.
        found: String,
        /// What would do.
        expected: &'static str,
    },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    kind: Kind,
    reader: Reader<Vec<u8>>,
    /// What the file was when last looked at, usable or not; none when it could not be found.
    version: Option<Version>,
}

/// Tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Database {
    pub(super) fn open(path: &Path, kind: Kind) -> Result<Self, GeoError> {
        // Looked at before it is read: a change in between is noticed later.
        let version = Version::of(&look(path)?);
        let reader = read(path, kind)?;
        tracing::info!(path = %path.display(), kind = %reader.metadata().database_type, "geo database read");
        Ok(Self { path: path.to_owned(), kind, reader, version: Some(version) })
    }

    /// The record for an address.
    pub(super) fn find(&self, address: IpAddr) -> Option<Record<'_>> {
        // Fails for IPv6 in a database of IPv4 only, and where the search tree is damaged.
        self.reader.lookup(address).ok().filter(|record| record.has_data())
    }

    /// The text for a record of this database.
    pub(super) fn text(&self, record: &Record<'_>) -> Box<str> {
        self.kind.text(record).map_or(UNKNOWN.into(), String::into_boxed_str)
    }

    /// Reads the file again if it has changed; true if there is a new database.
    pub(super) fn refresh(&mut self) -> bool {
        let version = look(&self.path).map(|metadata| Version::of(&metadata));
        if version.as_ref().ok() == self.version.as_ref() {
            return false;
        }
        self.version = version.as_ref().ok().copied();
        match version.and_then(|_| read(&self.path, self.kind)) {
            Ok(reader) => {
                self.reader = reader;
                tracing::info!(path = %self.path.display(), "geo database read again");
                true
            }
            Err(error) => {
                tracing::warn!("{error}; the database read before stays in use");
                false
            }
        }
    }
}

/// A file's metadata. Anything but a file is refused: reading a FIFO could wait for ever.
fn look(path: &Path) -> Result<Metadata, GeoError> {
    let error = |reason| GeoError::Read { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(error)?;
    match metadata.is_file() {
        true => Ok(metadata),
        false => Err(error(io::Error::other("not a regular file"))),
    }
}

fn read(path: &Path, kind: Kind) -> Result<Reader<Vec<u8>>, GeoError> {
    let octets = fs::read(path).map_err(|reason| GeoError::Read { path: path.to_owned(), reason })?;
    let reader =
        Reader::from_source(octets).map_err(|reason| GeoError::Invalid { path: path.to_owned(), reason })?;
    let found = &reader.metadata().database_type;
    if kind.excludes(found) {
        return Err(GeoError::WrongKind {
            path: path.to_owned(),
            found: found.clone(),
            expected: kind.expected(),
        });
    }
    Ok(reader)
}
