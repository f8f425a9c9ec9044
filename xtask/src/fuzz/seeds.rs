//! The first inputs, made of the bundled captures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace;

/// Every so many packets of the bundled capture one becomes an input.
const STEP: usize = 20;
/// Bytes of the headers before a message of DNS over UDP and IPv4 in Ethernet.
const HEADERS: usize = 14 + 20 + 8;

/// Writes the first inputs of a target into a directory.
pub(super) fn write(target: &str, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let inputs = match target {
        // As it is, without compression.
        "captures" => with_prefix(&[0], files()?),
        // A capture file, with the first settings.
        "pipeline" => with_prefix(&[0, 0], files()?),
        // The number of Ethernet among the link types.
        "classifier" => with_prefix(&[1], frames()?),
        "message" => with_prefix(&[0, 40], messages()?),
        // The name behind the header.
        "name" => with_prefix(&[0, 12], messages()?),
        _ => Vec::new(),
    };
    for (number, input) in inputs.iter().enumerate() {
        let path = directory.join(format!("{number:04}"));
        fs::write(&path, input).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn with_prefix(prefix: &[u8], inputs: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    inputs.into_iter().map(|input| [prefix, &input].concat()).collect()
}

/// The small captures.
fn files() -> Result<Vec<Vec<u8>>> {
    let directory = workspace::root().join("captures/faults");
    let entries = fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let mut files: Vec<Vec<u8>> = paths.iter().map(read).collect::<Result<_>>()?;
    let mut demo = demo()?;
    demo.truncate(4000);
    files.push(demo);
    Ok(files)
}

fn demo() -> Result<Vec<u8>> {
    fs::read(workspace::root().join(workspace::DEMO_CAPTURE)).context("cannot read the bundled capture")
}

/// Frames of the bundled capture.
fn frames() -> Result<Vec<Vec<u8>>> {
    const FILE_HEADER: usize = 24;
    const RECORD_HEADER: usize = 16;
    let file = demo()?;
    let (mut frames, mut rest) = (Vec::new(), file.get(FILE_HEADER..).unwrap_or_default());
    while let Some(len) = rest.get(8..).and_then(<[u8]>::first_chunk) {
        let end = RECORD_HEADER + u32::from_le_bytes(*len) as usize;
        let Some(frame) = rest.get(RECORD_HEADER..end) else { break };
        frames.push(frame.to_vec());
        rest = &rest[end..];
    }
    Ok(frames.into_iter().step_by(STEP).collect())
}

/// Messages of DNS over UDP in it.
fn messages() -> Result<Vec<Vec<u8>>> {
    let is_dns = |frame: &Vec<u8>| {
        frame.get(12..14) == Some(&[8, 0]) && frame.get(23) == Some(&17) && frame.len() > HEADERS + 12
    };
    Ok(frames()?.into_iter().filter(is_dns).map(|frame| frame[HEADERS..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_captures_give_inputs() {
        assert!(files().expect("captures").len() > 10);
        assert!(frames().expect("frames").len() > 100 && messages().expect("messages").len() > 30);
    }
}
