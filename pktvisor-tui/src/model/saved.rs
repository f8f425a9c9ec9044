//! A saved JSON as an agent that never changes.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use pktvisor_api::{App, DirectionRates, FindingsDocument, PeriodDocument, SketchDocument};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{agent::AgentModel, info::AgentLink, printable::Printable};
use crate::{
    client::{AgentAnswer, FetchError, OneEntry, OnePeriod},
    format::without_number,
};

/// Files beyond this many bytes are not read: a fleet of a thousand agents takes less.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// Agents of one file that are shown.
const AGENTS_MAX: usize = 10_000;

/// Why a file cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It cannot be read.
    #[error("cannot read {}: {}", path.display(), without_number(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is too large, or not a file of pktvisor.
    #[error(
        "{} is no saved metrics: it is longer than {} MiB; give the output of `pktvisord FILE`, \
         of `curl .../window/5`, or of `pktvisor --once --format json`",
        path.display(),
        FILE_BYTES_MAX >> 20
    )]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It was not written by pktvisor.
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

/// One agent in the output of `--once --format json`: one object on each line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedAgent {
    /// Its address.
    pub agent: String,
    /// Why it has no data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether it is of the 3.0 line: the keys that it lacks are then 0 and have no meaning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub older: bool,
    /// Its description of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,
    /// The last full second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<DirectionRates>,
    /// What is wrong; absent if the agent does not judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<FindingsDocument>,
    /// The window: one key, `5m`.
    #[serde(default, skip_serializing_if = "PeriodDocument::is_empty", deserialize_with = "one_period")]
    pub metrics: PeriodDocument,
    /// The window with its sketches, for the union of a fleet; not saved.
    #[serde(skip)]
    pub sketches: Option<Arc<SketchDocument>>,
}

fn one_period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PeriodDocument, D::Error> {
    OnePeriod::deserialize(deserializer).map(|OneEntry(period)| period.into_iter().collect())
}

impl SavedAgent {
    /// The answer of an agent, or the reason for its absence.
    pub fn new(agent: String, answer: Result<AgentAnswer, FetchError>) -> Self {
        match answer {
            Err(error) => Self { agent, error: Some(error.to_string()), ..Self::default() },
            Ok(answer) => Self {
                agent,
                error: None,
                older: !answer.ours,
                app: answer.app,
                rates: answer.rates,
                findings: answer.findings,
                metrics: PeriodDocument::from([(answer.window_name, answer.window)]),
                sketches: answer.sketches,
            },
        }
    }

    /// The agent to show.
    pub fn to_agent(&self) -> AgentModel {
        let mut agent = AgentModel::new(&self.agent);
        agent.link = AgentLink::Saved;
        match self.metrics.iter().next() {
            Some((name, window)) => agent.answer(
                AgentAnswer {
                    app: self.app.clone(),
                    ours: !self.older,
                    rates: self.rates,
                    findings: self.findings.clone(),
                    window_name: name.clone(),
                    window: window.clone(),
                    sketches: self.sketches.clone(),
                    ..AgentAnswer::default()
                },
                // A file has no clock, so its data counts as current.
                Duration::ZERO,
            ),
            None => {
                let error = self.error.as_deref().unwrap_or("there is no period in it");
                agent.link = AgentLink::Down {
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

/// Reads every agent saved in a file, a pipe or a device, up to 32 MiB.
pub fn read_saved(path: &Path) -> Result<Vec<SavedAgent>, SavedError> {
    let unreadable = |source| SavedError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let text = read_at_most(file, FILE_BYTES_MAX).map_err(unreadable)?;
    let text = text.ok_or_else(|| SavedError::TooLong { path: path.to_owned() })?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    parse(&name, &text).map_err(|reason| SavedError::Parse { path: path.to_owned(), reason })
}

/// Reads all of `source`; `None` if that is more than `limit` bytes.
fn read_at_most(source: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    let length = source.take(limit + 1).read_to_end(&mut text)?;
    Ok((u64::try_from(length).is_ok_and(|length| length <= limit)).then_some(text))
}

fn parse(name: &str, text: &[u8]) -> Result<Vec<SavedAgent>, String> {
    let mut agents = Vec::new();
    let mut documents = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let mut start = 0;
    while let Some(document) = documents.next() {
        document.map_err(|error| error.to_string())?;
        let end = documents.byte_offset();
        let document = text.get(start..end).unwrap_or_default();
        start = end;
        agents.push(agent(name, document).map_err(|error| error.to_string())?);
        if agents.len() > AGENTS_MAX {
            return Err(format!("there are more than {AGENTS_MAX} documents in it"));
        }
    }
    if agents.is_empty() { Err("it is empty".to_owned()) } else { Ok(agents) }
}

/// The keys that distinguish the documents.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Marks {
    agent: Option<IgnoredAny>,
}

/// A key that periods of 3.0 lack.
#[derive(Default, Deserialize)]
#[serde(default)]
struct PeriodMarks {
    sampling: Option<IgnoredAny>,
}

fn agent(name: &str, document: &[u8]) -> Result<SavedAgent, serde_json::Error> {
    if serde_json::from_slice::<Marks>(document)?.agent.is_some() {
        return serde_json::from_slice(document);
    }
    let OneEntry(period): OnePeriod = serde_json::from_slice(document)?;
    let OneEntry(marks): OneEntry<PeriodMarks> = serde_json::from_slice(document)?;
    let ours = marks.is_some_and(|(_, marks)| marks.sampling.is_some());
    Ok(SavedAgent {
        agent: name.to_owned(),
        older: !ours,
        metrics: period.into_iter().collect(),
        ..SavedAgent::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_pktvisord_can_be_opened() {
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
    fn a_fleet_is_one_object_on_each_line() {
        let text = br#"{"agent":"ns1","metrics":{"1m":{}}}
                       {"agent":"ns2","error":"cannot connect: connection refused"}"#;
        let agents: Vec<AgentModel> =
            parse("x", text).expect("two").iter().map(SavedAgent::to_agent).collect();
        assert!(agents[0].window.is_some() && agents[1].window.is_none());
        assert!(
            matches!(&agents[1].link, AgentLink::Down { error, .. } if error.as_str().ends_with("refused"))
        );
    }

    #[test]
    fn an_endless_file_is_read_up_to_a_limit() {
        assert_eq!(read_at_most(io::repeat(b' '), 10).expect("it can be read"), None);
        assert_eq!(
            read_at_most(&b"0123456789"[..], 10).expect("it can be read"),
            Some(b"0123456789".to_vec())
        );
        let error = read_saved(Path::new("/dev/zero")).expect_err("it never ends").to_string();
        assert!(
            error.starts_with("/dev/zero is no saved metrics: it is longer than 32 MiB; give "),
            "{error}"
        );
    }

    #[test]
    fn a_million_periods_in_one_document_take_no_memory() {
        let text = format!("{{{}\"2m\":{{}}}}", "\"1m\":{},".repeat(1_000_000));
        assert_eq!(parse("x", text.as_bytes()).expect("an object")[0].metrics.len(), 1);
    }

    #[test]
    fn too_many_documents_are_refused() {
        assert!(parse("x", "{}".repeat(AGENTS_MAX + 1).as_bytes()).is_err());
    }

    #[test]
    fn a_file_without_saved_json_is_refused() {
        for text in [&b""[..], b"{", b"[]", b"3", b"{\"5m\":7}", b"\xff"] {
            assert!(parse("x", text).is_err(), "{text:?}");
        }
    }
}
