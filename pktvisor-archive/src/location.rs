//! Where an archive is, as the user writes it.

use std::path::PathBuf;
use std::str::FromStr;

/// The place of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveLocation {
    /// A directory.
    Directory(PathBuf),
    /// A bucket of S3 or of a store that speaks its protocol. Endpoint and keys are in the environment.
    S3 {
        /// The bucket.
        bucket: String,
        /// What the names of all objects begin with; empty or without a slash at its ends.
        prefix: String,
    },
}

/// Why a place cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Another scheme.
    #[error("an archive is a directory, file:///DIRECTORY or s3://BUCKET/PREFIX, not {0}://")]
    Scheme(String),
    /// Nothing there.
    #[error("an archive needs the path of a directory")]
    NoDirectory,
    /// No bucket.
    #[error("an archive in S3 needs a bucket, as in s3://BUCKET/PREFIX")]
    NoBucket,
}

impl FromStr for ArchiveLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = text.split_once("://") else { return directory(text) };
        match scheme {
            "file" => directory(rest),
            "s3" => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(LocationError::NoBucket);
                }
                let prefix = prefix.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
                Ok(Self::S3 { bucket: bucket.to_owned(), prefix })
            }
            other => Err(LocationError::Scheme(other.escape_debug().to_string())),
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
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(out, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(out, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_url_names_an_archive() {
        let s3 =
            |bucket: &str, prefix: &str| ArchiveLocation::S3 { bucket: bucket.into(), prefix: prefix.into() };
        assert_eq!("a/b".parse(), Ok(ArchiveLocation::Directory("a/b".into())));
        assert_eq!("file:///a/b".parse(), Ok(ArchiveLocation::Directory("/a/b".into())));
        assert_eq!("s3://b".parse(), Ok(s3("b", "")));
        assert_eq!("s3://b//x/y/".parse(), Ok(s3("b", "x/y")));
        assert_eq!("s3:///x".parse::<ArchiveLocation>(), Err(LocationError::NoBucket));
        assert_eq!("".parse::<ArchiveLocation>(), Err(LocationError::NoDirectory));
        assert_eq!("http://x".parse::<ArchiveLocation>(), Err(LocationError::Scheme("http".into())));
        for text in ["a/b", "s3://b", "s3://b/x/y"] {
            assert_eq!(text.parse::<ArchiveLocation>().unwrap().to_string(), text);
        }
    }
}
