//! Files that the operator names and that hold a secret, or the certificate that goes with one.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Longer files hold something else; `/dev/zero` has no end.
const BYTES_MAX: u64 = 1 << 20;

/// Permission bit of users that are neither the owner nor in the group.
const OTHERS_READ: u32 = 0o004;

/// A certificate, key or token cannot be used. The sentences never repeat a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read {option} {}: {reason}", terminal_text::Escaped(path.display()))]
    Unreadable {
        /// The option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// The file does not hold what the option needs.
    #[error("{option} {}: {reason}", terminal_text::Escaped(path.display()))]
    Unusable {
        /// The option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// A file and the option that names it.
#[derive(Clone, Copy)]
pub(super) struct NamedFile<'a> {
    pub(super) option: &'static str,
    pub(super) path: &'a Path,
}

impl NamedFile<'_> {
    /// The content of the file.
    pub(super) fn read(self) -> Result<Vec<u8>, CredentialsError> {
        let unreadable =
            |reason| CredentialsError::Unreadable { option: self.option, path: self.path.to_owned(), reason };
        let mut content = Vec::new();
        let file = File::open(self.path).map_err(unreadable)?;
        file.take(BYTES_MAX + 1).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() as u64 > BYTES_MAX {
            return Err(self.unusable("the file is larger than 1 MiB"));
        }
        Ok(content)
    }

    /// The content of a file that only its owner and group should be able to read. Warns if everybody
    /// can: in a container a secret may be mounted so, and nobody else is there to read it.
    pub(super) fn read_secret(self) -> Result<Vec<u8>, CredentialsError> {
        let content = self.read()?;
        let mode = std::fs::metadata(self.path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & OTHERS_READ != 0 {
            let path = terminal_text::Escaped(self.path.display());
            tracing::warn!("every user of this machine can read {} {path}: chmod o= {path}", self.option);
        }
        Ok(content)
    }

    pub(super) fn unusable(self, reason: impl Into<String>) -> CredentialsError {
        CredentialsError::Unusable { option: self.option, path: self.path.to_owned(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_end_is_refused() {
        let error = NamedFile { option: "--auth-token-file", path: Path::new("/dev/zero") }.read();
        let sentence = error.unwrap_err().to_string();
        assert_eq!(sentence, "--auth-token-file /dev/zero: the file is larger than 1 MiB");
    }
}
