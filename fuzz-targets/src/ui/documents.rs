//! Documents as the client of the UI decodes them.

use std::sync::{Arc, LazyLock};

use pktvisor_api::{App, FindingsDocument, Period, Rates, SeriesDocument, SketchDocument};
use pktvisor_tui::client::{AgentAnswer, LongLists, OneEntry, OnePeriod};
use serde::de::DeserializeOwned;

use super::changes::ChangedDocuments;
use super::sample::{NAMES, SAMPLE};

/// The documents of an agent, not changed.
static DECODED: LazyLock<Documents> = LazyLock::new(|| {
    let mut documents = Documents::default();
    NAMES.iter().for_each(|name| documents.decode_one(name, SAMPLE[name].to_string().as_bytes()));
    documents
});

/// What could be decoded.
#[derive(Clone, Default)]
pub(super) struct Documents {
    app: Option<App>,
    rates: Option<Rates>,
    series: Option<SeriesDocument>,
    findings: Option<FindingsDocument>,
    window: Option<(String, Period)>,
    rolling: Option<Period>,
    pub(super) sketches: Option<Arc<SketchDocument>>,
}

/// As the client decodes an answer.
fn decode<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_slice(text).ok()
}

impl Documents {
    /// Takes a text for every document.
    pub(super) fn decode_all(&mut self, text: &[u8]) {
        NAMES.iter().for_each(|name| self.decode_one(name, text));
    }

    /// Takes a text for the document that an agent calls so.
    fn decode_one(&mut self, name: &str, text: &[u8]) {
        let period = |page: Option<OnePeriod>| page.and_then(|OneEntry(entry)| entry);
        match name {
            "app" => self.app = decode(text),
            "rates" => self.rates = decode(text),
            "series" => self.series = decode(text),
            "findings" => self.findings = decode(text),
            "window" => self.window = period(decode(text)),
            "rolling" => self.rolling = period(decode(text)).map(|(_, period)| period),
            _ => self.sketches = decode(text).map(Arc::new),
        }
    }

    /// Of documents that were not changed, it takes what was decoded before.
    pub(super) fn of(changed: &ChangedDocuments) -> Self {
        let mut all = DECODED.clone();
        for (name, document) in NAMES.iter().zip(changed) {
            if let Some(document) = document {
                all.decode_one(name, document.to_string().as_bytes());
            }
        }
        all
    }

    pub(super) fn without_sketches(self) -> Self {
        Self { sketches: None, ..self }
    }

    pub(super) fn answer(self) -> AgentAnswer {
        let (window_name, window) = self.window.unwrap_or_default();
        AgentAnswer {
            ours: self.app.is_some(),
            app: self.app,
            rates: self.rates.map(|Rates { packets }| packets),
            findings: self.findings,
            series: self.series.map(|SeriesDocument { series }| series),
            live: Some(window.clone()),
            closed: vec![window.clone()],
            long: self
                .rolling
                .clone()
                .map(|rolling| LongLists { window: window.clone(), rolling: Some(rolling) }),
            window_name,
            window,
            rolling: self.rolling,
            sketches: self.sketches,
            ..AgentAnswer::default()
        }
    }
}
