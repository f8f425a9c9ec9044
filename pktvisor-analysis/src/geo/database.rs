//! A database file, and the check whether it has changed.

use std::fs::{self, File, Metadata};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mapped_file::MappedFile;
use maxminddb::{MaxMindDbError, Reader};
use terminal_text::Escaped;

use super::record::{DatabaseKind, Place, Record};
use super::schema::{self, Verdict};

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    /// The file cannot be read.
    #[error("cannot read the geo database {}: {reason}", Escaped(path.display()))]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// The file is no MaxMind database, or a damaged one.
    #[error("{} is not a usable MaxMind database: {reason}", Escaped(path.display()))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The error of the reader.
        reason: MaxMindDbError,
    },
    /// The database is of another kind.
    #[error("{} is a {} database where {expected} database is needed", Escaped(path.display()), Escaped(found))]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What the database calls itself.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// The records of the database have no usable field.
    #[error(
        "{} ({}) is not {expected} database that can be read: its records hold {}",
        Escaped(path.display()), Escaped(found), Escaped(fields)
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What the database calls itself.
        found: String,
        /// What would do.
        expected: &'static str,
        /// Names of fields.
        fields: String,
    },
    /// No record of the database can be decoded.
    #[error(
        "{} ({}) cannot be read as {expected} database: {}",
        Escaped(path.display()), Escaped(found), Escaped(reason)
    )]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the database calls itself.
        found: String,
        /// What would do.
        expected: &'static str,
        /// Why the first record cannot.
        reason: String,
    },
}

/// When to open a database again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reopen {
    IfChanged,
    Always,
}

/// A database file.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    kind: DatabaseKind,
    /// `None` if the file was overwritten by something else: then the mapped content is gone.
    mapped: Option<Mapped>,
    /// The state of the file at the last check, usable or not; `None` if there was no file.
    version: Option<Version>,
}

#[derive(Debug)]
struct Mapped {
    reader: Reader<MappedFile>,
    version: Version,
}

/// Identifies the state of a file.
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
    pub(super) fn open(path: &Path, kind: DatabaseKind) -> Result<Self, GeoError> {
        // Checked before the file is mapped, so that a change in between is noticed later.
        let version = look(path)?;
        let mapped = Mapped::new(path, kind, version)?;
        let database_type = &mapped.reader.metadata().database_type;
        tracing::info!(path = %Escaped(path.display()), kind = %Escaped(database_type), "geo database opened");
        Ok(Self { path: path.to_owned(), kind, mapped: Some(mapped), version: Some(version) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The record for an address.
    ///
    /// # Errors
    ///
    /// The search tree is damaged.
    pub(super) fn find(&self, address: IpAddr) -> Result<Option<Record<'_>>, MaxMindDbError> {
        let Some(mapped) = &self.mapped else { return Ok(None) };
        match mapped.reader.lookup(address) {
            Ok(record) => Ok(record.has_data().then_some(record)),
            // IPv6 in a database of IPv4 only.
            Err(MaxMindDbError::InvalidInput { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a record of this database.
    pub(super) fn place(&self, record: &Record<'_>) -> Place {
        self.kind.place(record)
    }

    /// Maps the file again, if it has changed or always. Returns true if earlier results are
    /// invalid.
    pub(super) fn refresh(&mut self, reopen: Reopen) -> bool {
        let looked = look(&self.path);
        let version = looked.as_ref().ok().copied();
        if version == self.version && reopen == Reopen::IfChanged {
            return false;
        }
        self.version = version;
        match looked.and_then(|version| Mapped::new(&self.path, self.kind, version)) {
            Ok(mapped) => {
                self.mapped = Some(mapped);
                tracing::info!(path = %Escaped(self.path.display()), "geo database opened again");
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
    fn new(path: &Path, kind: DatabaseKind, version: Version) -> Result<Self, GeoError> {
        let unreadable = |reason| GeoError::Read { path: path.to_owned(), reason };
        let file = File::open(path).and_then(|file| MappedFile::new(&file)).map_err(unreadable)?;
        let reader = Reader::from_source(file)
            .map_err(|reason| GeoError::Invalid { path: path.to_owned(), reason })?;
        match refusal(path, kind, &reader) {
            Some(refusal) => Err(refusal),
            None => Ok(Self { reader, version }),
        }
    }
}

/// Why a database is not of the kind that it was given as.
fn refusal(path: &Path, kind: DatabaseKind, reader: &Reader<MappedFile>) -> Option<GeoError> {
    let path = path.to_owned();
    let found = schema::printable(&reader.metadata().database_type);
    let expected = kind.expected();
    match schema::judge(reader, kind) {
        Verdict::Fits => None,
        Verdict::IsOtherKind => Some(GeoError::WrongKind { path, found, expected }),
        Verdict::IsForeign { fields } => Some(GeoError::Foreign { path, found, expected, fields }),
        Verdict::IsDamaged { reason } => Some(GeoError::Undecodable { path, found, expected, reason }),
    }
}

/// The state of a file. Only regular files are accepted, because opening a FIFO could wait for
/// ever.
fn look(path: &Path) -> Result<Version, GeoError> {
    let error = |reason| GeoError::Read { path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(error)?;
    match metadata.is_file() {
        true => Ok(Version::of(&metadata)),
        false => Err(error(io::Error::other("not a regular file"))),
    }
}
