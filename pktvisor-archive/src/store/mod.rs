//! The files of an archive: in a directory, or in an object store.

mod bucket;
pub(crate) mod clients;
mod directory;
mod web_dav;

use bytes::Bytes;

use crate::location::ArchiveLocation;
use crate::variables::Variables;
pub(crate) use directory::RollUpLock;

use bucket::Bucket;
use directory::Directory;

/// Longest message of a store that is shown.
const MESSAGE_CHARACTERS: usize = 300;

/// Why a store does not do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A directory.
    #[error("cannot {action} {path}: {reason}")]
    File {
        /// What failed.
        action: &'static str,
        /// On which file.
        path: String,
        /// The reason.
        reason: std::io::Error,
    },
    /// An object store: what it said, and what may be missing.
    #[error("{0}")]
    Object(String),
    /// An environment variable is missing or cannot be used.
    #[error("{0}")]
    Variable(String),
    /// A WebDAV server.
    #[error("cannot rename {path}: {reason}")]
    Rename {
        /// The name that it was to have.
        path: String,
        /// The reason.
        reason: String,
    },
    /// Another process merges the same archive.
    #[error("another roll-up of {0} is running")]
    Locked(String),
    /// A file that is too large to be one of an archive.
    #[error("{0} is too large for a file of an archive")]
    TooLarge(String),
}

impl From<object_store::Error> for StoreError {
    fn from(source: object_store::Error) -> Self {
        Self::Object(in_words(&source))
    }
}

/// The error and its first cause. Each error between them repeats both in its own words.
fn in_words(error: &object_store::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let (message, cause) = (cut(&error.to_string()), cut(&cause.to_string()));
    if message.contains(&cause) { message } else { format!("{message}: {cause}") }
}

/// A server may answer with a page.
fn cut(text: &str) -> String {
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}

/// The files of one archive, by their keys.
#[derive(Debug)]
pub enum ArchiveStore {
    /// In a directory.
    Directory(Directory),
    /// In an object store.
    Bucket(Bucket),
}

impl ArchiveStore {
    /// The store at a place. A directory is created.
    ///
    /// # Errors
    ///
    /// The directory cannot be created, or the environment lacks what the object store needs.
    pub fn open(location: &ArchiveLocation) -> Result<Self, StoreError> {
        Self::open_with(location, &Variables::of_process())
    }

    /// The store at a place, with its keys and settings from these variables. A directory is created.
    ///
    /// # Errors
    ///
    /// The directory cannot be created, or the variables lack what the object store needs.
    pub fn open_with(location: &ArchiveLocation, variables: &Variables) -> Result<Self, StoreError> {
        Ok(match location {
            ArchiveLocation::Directory(path) => Self::Directory(Directory::create(path)?),
            ArchiveLocation::ObjectStore(location) => Self::Bucket(Bucket::open(location, variables)?),
        })
    }

    /// Writes a file, whole or not at all; replaces one of the same key.
    ///
    /// # Errors
    ///
    /// The store refuses or cannot be reached.
    pub async fn put(&self, key: &str, file: Bytes) -> Result<(), StoreError> {
        match self {
            Self::Directory(directory) => directory.put(key, &file),
            Self::Bucket(bucket) => bucket.put(key, file).await,
        }
    }

    /// The contents of a file.
    ///
    /// # Errors
    ///
    /// It does not exist, is too large, or cannot be read.
    pub async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        match self {
            Self::Directory(directory) => directory.get(key),
            Self::Bucket(bucket) => bucket.get(key).await,
        }
    }

    /// The keys of all files.
    ///
    /// # Errors
    ///
    /// The store cannot be listed.
    pub async fn keys(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Directory(directory) => directory.keys(),
            Self::Bucket(bucket) => bucket.keys().await,
        }
    }

    /// Deletes a file; none is fine, too.
    ///
    /// # Errors
    ///
    /// The store refuses.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self {
            Self::Directory(directory) => directory.delete(key),
            Self::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// Keeps other processes from merging the same files. An object store has no locks.
    pub(crate) fn lock_for_roll_up(&self) -> Result<Option<RollUpLock>, StoreError> {
        match self {
            Self::Directory(directory) => directory.lock_for_roll_up().map(Some),
            Self::Bucket(_) => Ok(None),
        }
    }
}
