//! The requests of one round, and their order.
//!
//! Agents of our line number periods from the live one (0) backwards, and describe themselves.
//! Those of the 3.0 line number periods in reverse, so that only the window of all their periods
//! means the same in both.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use pktvisor_api::{App, Period, Rates, SeriesDocument, SketchDocument};
use serde::de::DeserializeOwned;

use super::one_period::{OneEntry, OnePeriod};
use super::{
    AgentAnswer, AskedWindow, FocusAnswer, LongLists, TrafficFilter, Wanted, WantedLists,
    http::{FetchError, Http},
    permits::Permits,
};

/// Rounds between two requests for data that hardly changes.
const APP_EVERY_ROUNDS: u64 = 5;
/// Rounds before a page that the agent does not have is requested again.
const MISSING_FOR_ROUNDS: u64 = 60;
/// Rounds between two requests for long lists, which are up to a hundred times as long as others.
const LONG_LISTS_EVERY_ROUNDS: u64 = 3;
/// Rounds between two requests for sketches.
const SKETCHES_EVERY_ROUNDS: u64 = 5;
/// Rounds before sketches that could not be had are requested again.
const SKETCHES_FAILED_FOR_ROUNDS: u64 = 15;
/// Entries of the lists in sketches: more than a screen shows of the whole fleet, so that the bounds of
/// what it shows are good.
const ENTRIES_OF_SKETCHES: usize = 100;
/// Closed periods fetched in one round, so that a long history does not arrive as a burst.
const CLOSED_PER_ROUND: u64 = 8;
/// Most closed periods that are fetched.
pub(crate) const CLOSED_MAX: u64 = 120;
/// The default number of periods of 3.0.
const PERIODS_OF_3_0: u64 = 5;

/// A session with an agent: the connection, and the data that is known already.
pub struct Session {
    http: Http,
    app: Option<App>,
    /// Pages that the agent does not have, and the rounds in which they are tried again.
    missing: BTreeMap<&'static str, u64>,
    /// The window of the last long lists, and the round in which they are due again.
    long_lists: Option<(AskedWindow, u64)>,
    /// The window of the last sketches, and the round in which they are due again.
    sketches: Option<(AskedWindow, u64)>,
    permits: Permits,
    rounds: u64,
    live_start_ts: Option<i64>,
    /// Closed periods still to fetch, as indices: from, to.
    backlog: std::ops::RangeInclusive<u64>,
    /// Whether closed periods are fetched.
    history: bool,
}

impl Session {
    /// A session that has not begun.
    pub fn new(http: Http) -> Self {
        #[expect(clippy::reversed_empty_ranges, reason = "there is nothing to fetch yet")]
        let backlog = 1..=0;
        let missing = BTreeMap::new();
        Self {
            http,
            app: None,
            missing,
            long_lists: None,
            sketches: None,
            permits: Permits::default(),
            rounds: 0,
            live_start_ts: None,
            backlog,
            history: true,
        }
    }

    /// A session that does not fetch closed periods.
    pub fn without_history(http: Http) -> Self {
        Self { history: false, ..Self::new(http) }
    }

    /// The session, which fetches large answers only while there is a permit.
    #[must_use]
    pub fn sharing(self, permits: Permits) -> Self {
        Self { permits, ..self }
    }

    /// Forgets the agent: another one may answer at the same address.
    pub fn forget(&mut self) {
        self.app = None;
        self.missing.clear();
        self.sketches = None;
        self.live_start_ts = None;
    }

    /// One round of requests.
    pub fn round(&mut self, wanted: &Wanted) -> Result<AgentAnswer, FetchError> {
        let started = Instant::now();
        let mut answer = AgentAnswer::default();
        if self.app.is_none() || wanted.in_detail || self.rounds.is_multiple_of(APP_EVERY_ROUNDS) {
            let app: App = self.http.get("/api/v1/metrics/app")?;
            self.app = Some(app.clone());
            answer.app = Some(app);
        }
        self.rounds = self.rounds.wrapping_add(1);
        let app = self.app.clone().unwrap_or_default();
        answer.rates = self.page("/api/v1/metrics/rates")?.map(|Rates { packets }| packets);
        answer.ours = is_ours(&app);
        if answer.ours {
            answer.findings = self.page("/api/v1/findings")?;
            if wanted.in_detail {
                let series = self.page("/api/v1/metrics/series")?;
                answer.series = series.map(|SeriesDocument { series }| series);
                answer.focus =
                    wanted.focus.as_ref().map(|filter| self.focus(filter, wanted.lists)).transpose()?;
            }
            self.ours(&app, wanted.window, &mut answer)?;
            let window = effective_window(wanted.window, &app);
            answer.sketches = if wanted.in_union { self.sketches(window) } else { None };
            if wanted.focus.is_none() {
                self.lists(window, wanted.lists, &mut answer)?;
            }
        } else {
            let periods = if app.app.periods == 0 { PERIODS_OF_3_0 } else { app.app.periods };
            (answer.window_name, answer.window) = self.document(&format!("window/{periods}"))?;
        }
        answer.round_trip = started.elapsed();
        Ok(answer)
    }

    fn ours(
        &mut self,
        app: &App,
        window: Option<AskedWindow>,
        answer: &mut AgentAnswer,
    ) -> Result<(), FetchError> {
        let (name, live) = self.document("bucket/0")?;
        match effective_window(window, app) {
            AskedWindow::Live => (answer.window_name, answer.window) = (name, live.clone()),
            AskedWindow::Last(periods) => {
                (answer.window_name, answer.window) = self.document(&format!("window/{periods}"))?;
            }
        }
        let oldest = app.app.periods.saturating_sub(1).min(CLOSED_MAX);
        match self.live_start_ts.replace(live.period.start_ts) {
            None => self.backlog = 1..=oldest,
            // Two, in case two periods were rotated since the last round; fetching a period twice
            // is harmless.
            Some(start_ts) if start_ts != live.period.start_ts && self.backlog.is_empty() => {
                self.backlog = 1..=oldest.min(2);
            }
            Some(_) => {}
        }
        for _ in 0..if self.history { CLOSED_PER_ROUND } else { 0 } {
            let Some(index) = self.backlog.next() else { break };
            match self.document(&format!("bucket/{index}")) {
                Ok((_, period)) => answer.closed.push(period),
                // Not filled yet: no older period exists.
                Err(error) if error.is_refusal() => self.backlog = index + 1..=index,
                Err(error) => return Err(error),
            }
        }
        answer.live = Some(live);
        Ok(())
    }

    /// The last seconds, and long lists, as far as they are wanted.
    fn lists(
        &mut self,
        window: AskedWindow,
        wanted: WantedLists,
        answer: &mut AgentAnswer,
    ) -> Result<(), FetchError> {
        const ROLLING: &str = "/api/v1/metrics/rolling/10";
        const LONG_ROLLING: &str = "/api/v1/metrics/rolling/10?top=1000";
        let period = |page: Option<OnePeriod>| Some(page?.0?.1);
        match wanted {
            WantedLists::Short => self.long_lists = None,
            WantedLists::WithRates => {
                self.long_lists = None;
                answer.rolling = period(self.page(ROLLING)?);
            }
            WantedLists::Long
                if self.long_lists.is_some_and(|(of, due)| of == window && self.rounds < due) => {}
            WantedLists::Long => {
                self.long_lists = Some((window, self.rounds.saturating_add(LONG_LISTS_EVERY_ROUNDS)));
                let path = match window {
                    AskedWindow::Live => "/api/v1/metrics/bucket/0?top=1000".to_owned(),
                    AskedWindow::Last(periods) => format!("/api/v1/metrics/window/{periods}?top=1000"),
                };
                match self.http.get_long::<OnePeriod>(&path) {
                    Ok(OneEntry(Some((_, window)))) => {
                        let rolling = period(self.page_within(LONG_ROLLING, Http::get_long)?);
                        answer.long = Some(LongLists { window, rolling });
                    }
                    // The agent has too much to do: the short lists are shown.
                    Ok(OneEntry(None)) => {}
                    Err(error) if error.is_refusal() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// The window with its sketches, if it is due and there is a permit. An agent that does not give
    /// them still answers everything else.
    fn sketches(&mut self, window: AskedWindow) -> Option<Arc<SketchDocument>> {
        if self.sketches.is_some_and(|(of, due)| of == window && self.rounds < due) {
            return None;
        }
        let _permit = self.permits.take()?;
        let path = format!("/api/v1/sketches/window/{}?top={ENTRIES_OF_SKETCHES}", window.periods());
        let document = self.http.get_sketches::<SketchDocument>(&path).ok();
        let pause = if document.is_some() { SKETCHES_EVERY_ROUNDS } else { SKETCHES_FAILED_FOR_ROUNDS };
        self.sketches = Some((window, self.rounds.saturating_add(pause)));
        document.map(Arc::new)
    }

    /// What matches a filter. An agent that cannot be looked into says why.
    fn focus(&self, filter: &TrafficFilter, lists: WantedLists) -> Result<FocusAnswer, FetchError> {
        let top = if lists == WantedLists::Long { "&top=1000" } else { "" };
        let path = format!("/api/v1/focus?{}{top}", filter.query());
        let period = match self.http.get_long::<OnePeriod>(&path) {
            Ok(OneEntry(Some(period))) => Ok(period),
            Ok(OneEntry(None)) => Err("there is no period in the answer".to_owned()),
            Err(FetchError::Status(404, _) | FetchError::Refused(404, _)) => {
                Err("this agent cannot be looked into".to_owned())
            }
            Err(error) if error.is_refusal() => Err(error.to_string()),
            Err(error) => return Err(error),
        };
        Ok(FocusAnswer { filter: filter.clone(), period })
    }

    /// A page that older agents lack: they are asked for it now and then.
    fn page<T: DeserializeOwned>(&mut self, path: &'static str) -> Result<Option<T>, FetchError> {
        self.page_within(path, Http::get_page)
    }

    fn page_within<T>(
        &mut self,
        path: &'static str,
        get: impl Fn(&Http, &str) -> Result<T, FetchError>,
    ) -> Result<Option<T>, FetchError> {
        if self.missing.get(path).is_some_and(|again| self.rounds < *again) {
            return Ok(None);
        }
        match get(&self.http, path) {
            Ok(page) => Ok(Some(page)),
            Err(error) if error.is_refusal() => {
                self.missing.insert(path, self.rounds.saturating_add(MISSING_FOR_ROUNDS));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn document(&self, page: &str) -> Result<(String, Period), FetchError> {
        let path = format!("/api/v1/metrics/{page}");
        let OneEntry(period): OnePeriod = self.http.get(&path)?;
        period.ok_or_else(|| FetchError::Foreign(format!("{path}: no period in it")))
    }
}

/// Whether the agent is of our line: older ones do not report their capture.
pub(crate) fn is_ours(app: &App) -> bool {
    app.app.capture.is_some() || app.app.ledger.is_some()
}

/// The part of the wanted window that the agent keeps; by default five minutes.
fn effective_window(window: Option<AskedWindow>, app: &App) -> AskedWindow {
    if app.app.single_summary {
        return AskedWindow::Live;
    }
    let wanted = window.unwrap_or(AskedWindow::Last(5)).periods();
    AskedWindow::minutes(wanted.min(app.app.periods.max(1)))
}

/// The minimum time between the beginnings of two rounds.
pub(crate) const ROUND: Duration = Duration::from_secs(1);
