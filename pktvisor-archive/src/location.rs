//! Where an archive is, as the user writes it.

mod object_store;

use std::path::PathBuf;
use std::str::FromStr;

pub use object_store::{ObjectStoreKind, ObjectStoreLocation};

/// The place of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveLocation {
    /// A directory.
    Directory(PathBuf),
    /// An object store. Its keys are in the environment.
    ObjectStore(ObjectStoreLocation),
}

/// Why a place cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Another scheme.
    #[error(
        "an archive is a directory, file:///DIRECTORY, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, \
         az://CONTAINER/PREFIX or, for WebDAV, https://HOST/PREFIX, not {0}://"
    )]
    Scheme(String),
    /// Nothing there.
    #[error("an archive needs the path of a directory")]
    NoDirectory,
    /// No bucket, container or host.
    #[error("an archive in {} needs a {}, as in {}", .0.name(), .0.container(), .0.example())]
    NoBucket(ObjectStoreKind),
    /// A name or a password. The message repeats neither.
    #[error(
        "the URL of an archive must not contain a name or password, which other users could read: set {}",
        .0.key_variables()
    )]
    Password(ObjectStoreKind),
    /// A query could hold a key.
    #[error("the URL of an archive has no `?` or `#`, and its keys are read from the environment: set {}", .0.key_variables())]
    Query(ObjectStoreKind),
    /// Not a URL.
    #[error("the URL of the archive is not valid: {0}")]
    Url(String),
}

impl FromStr for ArchiveLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        match text.split_once("://") {
            None => directory(text),
            Some(("file", path)) => directory(path),
            Some(_) => text.parse().map(Self::ObjectStore),
        }
    }
}

fn directory(path: &str) -> Result<ArchiveLocation, LocationError> {
    if path.is_empty() {
        Err(LocationError::NoDirectory)
    } else {
        Ok(ArchiveLocation::Directory(path.into()))
    }
}

impl std::fmt::Display for ArchiveLocation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(out),
            Self::ObjectStore(location) => location.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_directory() {
        assert_eq!("a/b".parse(), Ok(ArchiveLocation::Directory("a/b".into())));
        assert_eq!("file:///a/b".parse(), Ok(ArchiveLocation::Directory("/a/b".into())));
        assert_eq!("".parse::<ArchiveLocation>(), Err(LocationError::NoDirectory));
        assert_eq!("ftp://x".parse::<ArchiveLocation>(), Err(LocationError::Scheme("ftp".into())));
        assert_eq!("memory:///x".parse::<ArchiveLocation>(), Err(LocationError::Scheme("memory".into())));
    }

    #[test]
    fn what_is_shown_names_the_same_place() {
        for text in ["a/b", "s3://b", "s3://b/x/y", "https://host:8443/x"] {
            assert_eq!(text.parse::<ArchiveLocation>().unwrap().to_string(), text);
        }
    }
}
