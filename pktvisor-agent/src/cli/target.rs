//! The meaning of TARGET. The order of the checks is part of the contract of the command line.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use pktvisor_capture::interfaces::{Interface, Interfaces};
use terminal_text::Escaped;

use crate::interface_address::{self, owner_of};

/// What to capture from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A capture on stdin.
    Stdin,
    /// A capture file or FIFO.
    File(PathBuf),
    /// Every interface that is up, including those that come up later.
    AnyInterface,
    /// One interface.
    Interface(Interface),
}

impl Target {
    /// Whether packets come from an interface.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Stdin | Self::File(_) => false,
            Self::AnyInterface | Self::Interface(_) => true,
        }
    }
}

/// TARGET is nothing to capture from.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A directory.
    #[error("cannot read {}: it is a directory; give a capture file in it", Escaped(path.display()))]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// Neither an interface nor a file.
    #[error("cannot capture from {target:?}: {tried}; interfaces here: {interfaces}")]
    Unknown {
        /// TARGET as the user wrote it.
        target: String,
        /// What it was taken for.
        tried: String,
        /// The interfaces of this machine.
        interfaces: String,
    },
    /// The interfaces cannot be listed.
    #[error("cannot list the network interfaces: {reason}")]
    Interfaces {
        /// The error of the kernel.
        reason: io::Error,
    },
}

/// Decides what `target` means.
pub fn resolve(target: &OsStr, interfaces: &dyn Interfaces) -> Result<Target, TargetError> {
    if target == "-" {
        return Ok(Target::Stdin);
    }
    let path = Path::new(target);
    if looks_like_a_file(target) {
        return if path.is_dir() {
            Err(TargetError::Directory { path: path.to_owned() })
        } else {
            Ok(Target::File(path.to_owned()))
        };
    }
    let interfaces = interfaces.list().map_err(|reason| TargetError::Interfaces { reason })?;
    if let Some(owner) = target.to_str().and_then(|address| owner_of(address, &interfaces)) {
        return Ok(Target::Interface(owner.clone()));
    }
    if target == "any" {
        return Ok(Target::AnyInterface);
    }
    if let Some(named) = interfaces.iter().find(|interface| target == interface.name.as_str()) {
        return Ok(Target::Interface(named.clone()));
    }
    match fs::metadata(path).map(|metadata| metadata.file_type()) {
        Ok(kind) if kind.is_file() || kind.is_fifo() => Ok(Target::File(path.to_owned())),
        Ok(kind) if kind.is_dir() => Err(TargetError::Directory { path: path.to_owned() }),
        _ => Err(unknown(target, &interfaces)),
    }
}

/// A path, or a name like trace.pcap, trace.cap.zst or the trace.pcap7 of `tcpdump -C`.
fn looks_like_a_file(target: &OsStr) -> bool {
    let name = target.as_bytes();
    let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    has(b"/") || has(b".pcap") || has(b".cap")
}

fn unknown(target: &OsStr, interfaces: &[Interface]) -> TargetError {
    let tried = if target.to_str().and_then(interface_address::parse).is_some() {
        "no interface has that address, and there is no interface or file of that name"
    } else {
        "there is no interface of that name, and no file"
    };
    TargetError::Unknown {
        target: target.to_string_lossy().into_owned(),
        tried: tried.to_owned(),
        interfaces: describe(interfaces),
    }
}

fn describe(interfaces: &[Interface]) -> String {
    let mut text = String::new();
    for interface in interfaces {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&interface.name);
        let state = (!interface.is_up).then(|| "down".to_owned());
        let addresses = interface.addresses.iter().map(IpAddr::to_string);
        let remarks: Vec<String> = state.into_iter().chain(addresses).collect();
        if !remarks.is_empty() {
            // Writing into a String does not fail.
            let _ = write!(text, " ({})", remarks.join(" "));
        }
    }
    if text.is_empty() { "none".to_owned() } else { text }
}
