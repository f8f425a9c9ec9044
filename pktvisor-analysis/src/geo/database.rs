//! A database file, and noticing that it has changed.

use std::fs::{self, File, Metadata};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mapped_file::MappedFile;
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
    /// None when the file was overwritten by what is no database: what was mapped of it is gone.
    mapped: Option<Mapped>,
    /// What the file was when last looked at, usable or not; none when it could not be found.
    version: Option<Version>,
}

#[derive(Debug)]
struct Mapped {
    reader: Reader<MappedFile>,
    version: Version,
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
    /// Whether both are states of one file, rather than of two that had the same name.
    fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

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
        // Looked at before it is mapped: a change in between is noticed later.
        let version = look(path)?;
        let mapped = Mapped::new(path, kind, version)?;
        let database_type = &mapped.reader.metadata().database_type;
        tracing::info!(path = %path.display(), kind = %database_type, "geo database opened");
        Ok(Self { path: path.to_owned(), kind, mapped: Some(mapped), version: Some(version) })
    }

    /// The record for an address.
    pub(super) fn find(&self, address: IpAddr) -> Option<Record<'_>> {
        // Fails for IPv6 in a database of IPv4 only, and where the search tree is damaged.
        self.mapped.as_ref()?.reader.lookup(address).ok().filter(|record| record.has_data())
    }

    /// The text for a record of this database.
    pub(super) fn text(&self, record: &Record<'_>) -> Box<str> {
        self.kind.text(record).map_or(UNKNOWN.into(), String::into_boxed_str)
    }

    /// Maps the file again if it has changed; true if what was found before holds no longer.
    pub(super) fn refresh(&mut self) -> bool {
        let looked = look(&self.path);
        let version = looked.as_ref().ok().copied();
        if version == self.version {
            return false;
        }
        self.version = version;
        match looked.and_then(|version| Mapped::new(&self.path, self.kind, version)) {
            Ok(mapped) => {
                self.mapped = Some(mapped);
                tracing::info!(path = %self.path.display(), "geo database opened again");
                true
            }
            Err(error) => {
                let is_overwritten = |mapped: &mut Mapped| {
                    version.is_some_and(|version| mapped.version.is_same_file(&version))
                };
                let has_lost = self.mapped.take_if(is_overwritten).is_some();
                match self.mapped {
                    Some(_) => tracing::warn!("{error}; the database opened before stays in use"),
                    None => tracing::warn!("{error}; places are unknown until it is one"),
                }
                has_lost
            }
        }
    }
}

impl Mapped {
    fn new(path: &Path, kind: Kind, version: Version) -> Result<Self, GeoError> {
        let unreadable = |reason| GeoError::Read { path: path.to_owned(), reason };
        let file = File::open(path).and_then(|file| MappedFile::new(&file)).map_err(unreadable)?;
        let reader = Reader::from_source(file)
            .map_err(|reason| GeoError::Invalid { path: path.to_owned(), reason })?;
        let found = &reader.metadata().database_type;
        if kind.excludes(found) {
            return Err(GeoError::WrongKind {
                path: path.to_owned(),
                found: found.clone(),
                expected: kind.expected(),
            });
        }
        Ok(Self { reader, version })
    }
}

/// What state a file is in. Anything but a file is refused: opening a FIFO could wait for ever.
fn look(path: &Path) -> Result<Version, GeoError> {
    let error = |reason| GeoError::Read { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(error)?;
    match metadata.is_file() {
        true => Ok(Version::of(&metadata)),
        false => Err(error(io::Error::other("not a regular file"))),
    }
}
