//! The value of `app.capture.mode`.

use std::fmt;

use pktvisor_definitions::Mode;
use serde::{Deserialize, Serialize};

/// Where packets come from, and how.
///
/// A reader keeps the name of a mode that it does not know, so that it can show the state of a newer or older agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum CaptureMode {
    /// A capture file.
    File,
    /// An interface that is not watched yet.
    Starting,
    /// An interface, in this mode.
    Live(Mode),
    /// A mode of another version, by its name. Empty if the agent does not report its mode.
    Other(String),
}

impl CaptureMode {
    /// The name in the JSON.
    pub fn name(&self) -> &str {
        match self {
            Self::File => "file",
            Self::Starting => "starting",
            Self::Live(mode) => mode.name(),
            Self::Other(name) => name,
        }
    }
}

impl Default for CaptureMode {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl fmt::Display for CaptureMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<String> for CaptureMode {
    fn from(name: String) -> Self {
        match name.as_str() {
            "file" => Self::File,
            "starting" => Self::Starting,
            known => Mode::from_name(known).map_or(Self::Other(name), Self::Live),
        }
    }
}

impl From<CaptureMode> for String {
    fn from(mode: CaptureMode) -> Self {
        match mode {
            CaptureMode::Other(name) => name,
            known => known.name().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_is_read_as_it_was_written() {
        let live = Mode::ALL.map(CaptureMode::Live);
        let others = [CaptureMode::File, CaptureMode::Starting, CaptureMode::default()];
        for mode in live.into_iter().chain(others) {
            let json = serde_json::to_string(&mode).unwrap();
            assert_eq!(json, format!("\"{mode}\""));
            assert_eq!(serde_json::from_str::<CaptureMode>(&json).unwrap(), mode);
        }
    }

    #[test]
    fn a_mode_of_another_version_keeps_its_name() {
        let mode: CaptureMode = serde_json::from_str("\"teleport\"").unwrap();
        assert_eq!(mode, CaptureMode::Other("teleport".to_owned()));
        assert_eq!(serde_json::to_string(&mode).unwrap(), "\"teleport\"");
    }
}
