//! A saved JSON as an agent that never changes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use pktvisor_common::api::{App, DirectionRates, PeriodDocument};
use serde::{Deserialize, Serialize};

use super::{Agent, Link};
use crate::client::Answer;

/// Why a file cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what pktvisor writes.
    #[error(
        "{} is no saved metrics: {reason}; give the output of `pktvisord FILE`, of `curl .../window/5`, \
         or of `pktvisor --once --format json`",
        path.display()
    )]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// One agent in the output of `--once --format json`: one object a line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedAgent {
    /// Where it was.
    pub agent: String,
    /// Why there is nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it said about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,
    /// The last full second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<DirectionRates>,
    /// The window: one key, `5m`.
    #[serde(default, skip_serializing_if = "PeriodDocument::is_empty")]
    pub metrics: PeriodDocument,
}

/// Reads every agent saved in a file.
pub fn read_saved(path: &Path) -> Result<Vec<Agent>, SavedError> {
    let text = fs::read(path).map_err(|source| SavedError::Read { path: path.to_owned(), source })?;
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    parse(&name, &text).map_err(|reason| SavedError::Parse { path: path.to_owned(), reason })
}

fn parse(name: &str, text: &[u8]) -> Result<Vec<Agent>, String> {
    let mut agents = Vec::new();
    for document in serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>() {
        let document = document.map_err(|error| error.to_string())?;
        // What 3.0 did not have.
        let ours = document.to_string().contains("\"sampling\":");
        let saved = if document.get("agent").is_some() {
            serde_json::from_value(document).map_err(|error| error.to_string())?
        } else {
            let metrics = serde_json::from_value(document).map_err(|error| error.to_string())?;
            SavedAgent { agent: name.to_owned(), metrics, ..SavedAgent::default() }
        };
        agents.push(agent(saved, ours)?);
    }
    if agents.is_empty() { Err("it is empty".to_owned()) } else { Ok(agents) }
}

fn agent(saved: SavedAgent, ours: bool) -> Result<Agent, String> {
    let mut agent = Agent::new(&saved.agent);
    agent.link = Link::Saved;
    let Some((window_name, window)) = saved.metrics.into_iter().next() else {
        return Err(saved.error.unwrap_or_else(|| "there is no period in it".to_owned()));
    };
    // A file has no time of its own: everything in it is of now.
    let answer =
        Answer { app: saved.app, ours, rates: saved.rates, window_name, window, ..Answer::default() };
    agent.answer(answer, std::time::Duration::ZERO);
    Ok(agent)
}
