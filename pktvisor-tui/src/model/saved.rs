//! A saved JSON as an agent that never changes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use pktvisor_api::{App, DirectionRates, PeriodDocument};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Agent, Link, Printable};
use crate::client::{Answer, FetchError};

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
    /// Whether it is of the 3.0 line: keys that it does not know are 0 then, and mean nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older: bool,
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

impl SavedAgent {
    /// What an agent answered, or why it did not.
    pub fn new(agent: String, answer: Result<Answer, FetchError>) -> Self {
        match answer {
            Err(error) => Self { agent, error: Some(error.to_string()), ..Self::default() },
            Ok(answer) => Self {
                agent,
                error: None,
                older: !answer.ours,
                app: answer.app,
                rates: answer.rates,
                metrics: PeriodDocument::from([(answer.window_name, answer.window)]),
            },
        }
    }

    /// The agent to show.
    pub fn to_agent(&self) -> Agent {
        let mut agent = Agent::new(&self.agent);
        agent.link = Link::Saved;
        match self.metrics.iter().next() {
            Some((name, window)) => agent.answer(
                Answer {
                    app: self.app.clone(),
                    ours: !self.older,
                    rates: self.rates,
                    window_name: name.clone(),
                    window: window.clone(),
                    ..Answer::default()
                },
                // A file has no time of its own: everything in it is of now.
                Duration::ZERO,
            ),
            None => {
                let error = self.error.as_deref().unwrap_or("there is no period in it");
                agent.link = Link::Down {
                    error: Printable::new(error),
                    since: Duration::ZERO,
                    retry_at: Duration::MAX,
                    attempts: 1,
                };
            }
        }
        agent
    }
}

/// Reads every agent saved in a file.
pub fn read_saved(path: &Path) -> Result<Vec<SavedAgent>, SavedError> {
    let text = fs::read(path).map_err(|source| SavedError::Read { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    parse(&name, &text).map_err(|reason| SavedError::Parse { path: path.to_owned(), reason })
}

fn parse(name: &str, text: &[u8]) -> Result<Vec<SavedAgent>, String> {
    let mut agents = Vec::new();
    for document in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        let document = document.map_err(|error| error.to_string())?;
        agents.push(agent(name, document).map_err(|error| error.to_string())?);
    }
    if agents.is_empty() { Err("it is empty".to_owned()) } else { Ok(agents) }
}

fn agent(name: &str, document: Value) -> Result<SavedAgent, serde_json::Error> {
    if document.get("agent").is_some() {
        return serde_json::from_value(document);
    }
    // What 3.0 did not have.
    let ours = |period: &Value| period.get("sampling").is_some();
    let older = !document.as_object().is_some_and(|periods| periods.values().any(ours));
    let metrics = serde_json::from_value(document)?;
    Ok(SavedAgent { agent: name.to_owned(), older, metrics, ..SavedAgent::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pktvisord_prints_can_be_opened() {
        let saved = parse("trace.json", br#"{"5m":{"period":{"length":60},"sampling":{"rate":1.0}}}"#);
        let saved = saved.expect("a document of ours");
        assert_eq!((saved.len(), saved[0].older, saved[0].agent.as_str()), (1, false, "trace.json"));
        let agent = saved[0].to_agent();
        assert_eq!(agent.window.expect("there is one").span.length, 60);
    }

    #[test]
    fn a_document_of_3_0_is_known_by_what_it_lacks() {
        let saved = parse("old.json", br#"{"5m":{"packets":{"total":1}}}"#).expect("a document of 3.0");
        assert!(saved[0].older && !saved[0].to_agent().is_ours());
    }

    #[test]
    fn a_fleet_is_an_object_a_line() {
        let text = br#"{"agent":"ns1","metrics":{"1m":{}}}
                       {"agent":"ns2","error":"cannot connect: connection refused"}"#;
        let agents: Vec<Agent> = parse("x", text).expect("two").iter().map(SavedAgent::to_agent).collect();
        assert!(agents[0].window.is_some() && agents[1].window.is_none());
        assert!(matches!(&agents[1].link, Link::Down { error, .. } if error.as_str().ends_with("refused")));
    }

    #[test]
    fn what_is_no_saved_json_is_refused() {
        for text in [&b""[..], b"{", b"[]", b"3", b"{\"5m\":7}", b"\xff"] {
            assert!(parse("x", text).is_err(), "{text:?}");
        }
    }
}
