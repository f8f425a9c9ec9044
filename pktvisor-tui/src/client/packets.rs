//! Saves the packets that match a filter, as the agent streams them, into a new file.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use super::{
    filter::TrafficFilter,
    http::{FetchError, Http},
};
use crate::format::without_number;

/// Packets to save, at most.
const PACKETS_MAX: u64 = 10_000;
/// How long packets are saved.
const SECONDS: u64 = 30;
/// The largest file in bytes. A hostile agent may send without end.
const BYTES_MAX: u64 = 1 << 30;

/// The state of a file of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketsUpdate {
    /// The file grows.
    Saving {
        /// Its name.
        file: String,
        /// Its length so far.
        bytes: u64,
    },
    /// The file is complete.
    Saved {
        /// Its name.
        file: String,
        /// Its length.
        bytes: u64,
    },
    /// There is no file, or it ends too early: why, perhaps in words of the agent, not yet escaped.
    Failed(String),
}

/// Saves matching packets into a new file of `directory` in a thread of its own, which calls `report`
/// as the file grows.
pub fn save_packets(
    http: Http,
    filter: TrafficFilter,
    directory: PathBuf,
    mut report: impl FnMut(PacketsUpdate) + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new().name("packets".to_owned()).spawn(move || {
        let outcome = save(&http, &filter, &directory, &mut report);
        report(outcome.unwrap_or_else(PacketsUpdate::Failed));
    })?;
    Ok(())
}

fn save(
    http: &Http,
    filter: &TrafficFilter,
    directory: &Path,
    report: &mut impl FnMut(PacketsUpdate),
) -> Result<PacketsUpdate, String> {
    let path = format!("/api/v1/packets?{}&limit={PACKETS_MAX}&seconds={SECONDS}", filter.query());
    let patience = Duration::from_secs(SECONDS + 10);
    let mut packets = http.stream(&path, patience).map_err(|error| refusal(&error))?.take(BYTES_MAX);
    let (name, mut file) = create(filter, directory).map_err(|error| cannot_write(&error))?;
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes: u64 = 0;
    loop {
        report(PacketsUpdate::Saving { file: name.clone(), bytes });
        match packets.read(&mut buffer) {
            Ok(0) => return Ok(PacketsUpdate::Saved { file: name, bytes }),
            Ok(length) => {
                let read = buffer.get(..length).unwrap_or_default();
                file.write_all(read).map_err(|error| cannot_write(&error))?;
                bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(format!("{name} ends early: {}", without_number(&error)));
            }
        }
    }
}

/// Creates a file that does not exist: `pktvisor-192.0.2.1-1585051200.pcapng`.
fn create(filter: &TrafficFilter, directory: &Path) -> io::Result<(String, File)> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let name = format!("pktvisor-{}-{}.pcapng", filter.file_stem(), now.as_secs());
    let file = File::options().write(true).create_new(true).open(directory.join(&name))?;
    Ok((name, file))
}

fn cannot_write(error: &io::Error) -> String {
    format!("cannot write the file of packets: {}", without_number(error))
}

fn refusal(error: &FetchError) -> String {
    match error {
        FetchError::Status(404, _) | FetchError::Refused(404, _) => {
            "this agent cannot save packets".to_owned()
        }
        FetchError::Status(403, _) => {
            "the agent does not give away packets: start it with --allow-packets".to_owned()
        }
        FetchError::Refused(_, sentence) => sentence.clone(),
        other => other.to_string(),
    }
}
