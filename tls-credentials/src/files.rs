//! Files that the operator names and that hold a secret, or certificates.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use terminal_text::Escaped;

/// Longer files hold something else; `/dev/zero` has no end.
const BYTES_MAX: u64 = 4 << 20;

/// Permission bit of users that are neither the owner nor in the group.
const OTHERS_READ: u32 = 0o004;

/// A certificate, key, token or header cannot be used. The sentences never repeat a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read {option} {}: {}", Escaped(path.display()), without_number(reason))]
    Unreadable {
        /// The option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: io::Error,
    },
    /// The file does not hold what the option needs.
    #[error("{option} {}: {reason}", Escaped(path.display()))]
    Unusable {
        /// The option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// The text of an I/O error without `(os error 2)` at its end.
fn without_number(error: &io::Error) -> String {
    error.to_string().split(" (os error ").next().unwrap_or_default().to_owned()
}

/// A file, and the option that names it.
#[derive(Clone, Copy, Debug)]
pub struct GivenFile<'a> {
    /// As errors call it: `--tls-ca`.
    pub option: &'static str,
    /// Where it is.
    pub path: &'a Path,
}

impl GivenFile<'_> {
    /// All of its bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is larger than 4 MiB.
    pub fn read(self) -> Result<Vec<u8>, CredentialsError> {
        let unreadable =
            |reason| CredentialsError::Unreadable { option: self.option, path: self.path.to_owned(), reason };
        let mut content = Vec::new();
        let file = File::open(self.path).map_err(unreadable)?;
        file.take(BYTES_MAX + 1).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() as u64 > BYTES_MAX {
            return Err(self.unusable("the file is larger than 4 MiB"));
        }
        Ok(content)
    }

    /// As [`read`](Self::read), of a file that only its owner and group should be able to read. Warns
    /// if everybody can: in a container a secret may be mounted so, and nobody else is there to read
    /// it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_secret(self) -> Result<Vec<u8>, CredentialsError> {
        let content = self.read()?;
        let mode = std::fs::metadata(self.path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & OTHERS_READ != 0 {
            let path = Escaped(self.path.display());
            tracing::warn!("every user of this machine can read {} {path}: chmod o= {path}", self.option);
        }
        Ok(content)
    }

    /// The error of a file that does not hold what it should.
    pub fn unusable(self, reason: impl Into<String>) -> CredentialsError {
        CredentialsError::Unusable { option: self.option, path: self.path.to_owned(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &str) -> String {
        let read = GivenFile { option: "--auth-token-file", path: Path::new(path) }.read();
        read.expect_err("it cannot be used").to_string()
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_option() {
        assert_eq!(refusal("/dev/zero"), "--auth-token-file /dev/zero: the file is larger than 4 MiB");
        let missing = "cannot read --auth-token-file /proc/missing: No such file or directory";
        assert_eq!(refusal("/proc/missing"), missing);
    }
}
