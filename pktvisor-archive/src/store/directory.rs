//! An archive in a directory.
//!
//! A file gets its name only after all of it is on the disk. So a reader of `*.parquet` finds whole
//! files only, even if the writer is killed or the machine loses power.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::StoreError;
use crate::name::FileKey;
use crate::read::FILE_BYTES_MAX;

/// The end of the names of unfinished files.
const PART: &str = ".part";
/// An unfinished file of this age has lost its writer.
const PART_AGE: Duration = Duration::from_secs(3600);
/// The file that a roll-up locks.
const LOCK: &str = ".roll-up.lock";

/// A directory.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
}

/// Held by the one process that merges files. The kernel releases it at the end of the process.
#[derive(Debug)]
pub(crate) struct RollUpLock {
    _file: File,
}

impl Directory {
    pub(super) fn create(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root).map_err(failed("create", root))?;
        Ok(Self { root: root.to_owned() })
    }

    pub(super) fn put(&self, key: &str, file: &[u8]) -> Result<(), StoreError> {
        let path = self.root.join(key);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(failed("create", parent))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let part = parent.join(format!(".{name}.{}{PART}", std::process::id()));
        let written = write_synced(&part, file).map_err(failed("write", &part));
        let named = written.and_then(|()| fs::rename(&part, &path).map_err(failed("write", &path)));
        if named.is_err() {
            // The disk may be full of it.
            let _ = fs::remove_file(&part);
        }
        named?;
        // The name is on the disk when its directory is.
        File::open(parent).and_then(|directory| directory.sync_all()).map_err(failed("write", parent))
    }

    pub(super) fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let path = self.root.join(key);
        let file = File::open(&path).map_err(failed("open", &path))?;
        let mut bytes = Vec::new();
        // A file may grow while it is read.
        file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed("read", &path))?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(StoreError::TooLarge(path.display().to_string()));
        }
        Ok(bytes.into())
    }

    /// Only files of an archive are listed, two directories deep.
    pub(super) fn keys(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        for agent in names(&self.root)?.iter().filter(|name| name.starts_with("agent=")) {
            for date in names(&self.root.join(agent))?.iter().filter(|name| name.starts_with("date=")) {
                let files = names(&self.root.join(agent).join(date))?;
                keys.extend(files.into_iter().map(|file| format!("{agent}/{date}/{file}")));
            }
        }
        keys.retain(|key| FileKey::parse(key).is_some());
        keys.sort();
        Ok(keys)
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), StoreError> {
        let path = self.root.join(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("delete", &path)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn lock_for_roll_up(&self) -> Result<RollUpLock, StoreError> {
        let path = self.root.join(LOCK);
        let file = File::create(&path).map_err(failed("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(RollUpLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(self.root.display().to_string())),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// Deletes the days of an agent before this one, and what killed writers left.
    pub(crate) fn remove_days_before(&self, agent: &str, date: &str) -> Result<(), StoreError> {
        let agent = format!("agent={agent}");
        let root = self.root.join(&agent);
        if !root.is_dir() {
            return Ok(());
        }
        for name in names(&root)? {
            let is_old = name.strip_prefix("date=").is_some_and(|day| day < date);
            let directory = root.join(&name);
            for file in if directory.is_dir() { names(&directory)? } else { Vec::new() } {
                let path = directory.join(&file);
                let is_ours = FileKey::parse(&format!("{agent}/{name}/{file}")).is_some();
                if is_ours && is_old || is_abandoned(&path) {
                    fs::remove_file(&path).map_err(failed("delete", &path))?;
                }
            }
            if is_old {
                // Files that are not ours keep it.
                let _ = fs::remove_dir(&directory);
            }
        }
        Ok(())
    }
}

/// Whether a file was left unfinished by a writer that was killed.
fn is_abandoned(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_part = name.starts_with('.') && name.ends_with(PART);
    let modified = || fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = |modified| SystemTime::now().duration_since(modified);
    is_part && modified().is_ok_and(|modified| age(modified).is_ok_and(|age| age > PART_AGE))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The names in a directory. Those that are not text are not ours.
fn names(directory: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(directory) {
        // A file, or a directory that was just deleted.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(failed("read", directory))?,
    };
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.display().to_string();
    move |reason| StoreError::File { action, path, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "agent=a/date=2026-01-30/000000-0000000000000001.parquet";

    #[test]
    fn a_file_is_whole_or_absent_and_leaves_nothing_unfinished() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::create(&root.path().join("new/archive")).unwrap();
        directory.put(KEY, b"one").unwrap();
        directory.put(KEY, b"two").unwrap();
        assert_eq!(directory.keys().unwrap(), [KEY]);
        assert_eq!(directory.get(KEY).unwrap(), b"two".as_slice());
        let files = names(directory.root.join(KEY).parent().unwrap()).unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        directory.delete(KEY).unwrap();
        directory.delete(KEY).unwrap();
        assert!(directory.keys().unwrap().is_empty());
    }

    #[test]
    fn old_days_of_one_agent_are_deleted_and_nothing_of_others() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::create(root.path()).unwrap();
        let other = KEY.replace("agent=a", "agent=b");
        let recent = KEY.replace("2026-01-30", "2026-02-01");
        for key in [KEY, &other, &recent] {
            directory.put(key, b"x").unwrap();
        }
        let foreign = root.path().join("agent=a/date=2026-01-30/notes.txt");
        fs::write(&foreign, b"mine").unwrap();
        directory.remove_days_before("a", "2026-01-31").unwrap();
        assert_eq!(directory.keys().unwrap(), [recent, other]);
        assert!(foreign.exists());
        fs::remove_file(foreign).unwrap();
        directory.remove_days_before("a", "2026-01-31").unwrap();
        assert!(!root.path().join("agent=a/date=2026-01-30").exists());
    }

    #[test]
    fn only_one_roll_up_runs() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::create(root.path()).unwrap();
        let lock = directory.lock_for_roll_up().unwrap();
        assert!(matches!(directory.lock_for_roll_up(), Err(StoreError::Locked(_))));
        drop(lock);
        directory.lock_for_roll_up().unwrap();
    }
}
