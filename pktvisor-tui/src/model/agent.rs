//! One agent: its last answer with its time, and the state of the connection.

mod focus;

use std::{sync::Arc, time::Duration};

use pktvisor_api::{DirectionRates, Ledger, SketchDocument};

pub use self::focus::FocusModel;
use super::{
    capture::CaptureState,
    figures::SpanFigures,
    findings::{FindingRow, findings},
    health::HealthLevel,
    history::History,
    info::{AgentInfo, AgentLink, Standing},
    observation::Observation,
    printable::Printable,
    recent::RecentSeconds,
    second::SecondSample,
};
use crate::{
    client::{AgentAnswer, Update},
    format::share,
};

/// An answer older than this is shown as stale, even though no question has failed yet.
const STALE_AFTER: Duration = Duration::from_secs(4);
/// How long a loss of packets affects the state.
const LOSS_REMEMBERED: Duration = Duration::from_secs(300);

/// Sketches that could not be had again for this long are not current any more.
const SKETCHES_KEPT: Duration = Duration::from_secs(60);

/// Sketches and the time of their arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSketches {
    /// When they came.
    pub at: Duration,
    /// The window with its sketches.
    pub document: Arc<SketchDocument>,
}

/// An agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentModel {
    /// Its name on the screen.
    pub label: Printable,
    /// The connection.
    pub link: AgentLink,
    /// The window last received.
    pub window: Option<Observation>,
    /// The live period last received.
    pub live: Option<Observation>,
    /// The last full second.
    pub rates: Option<DirectionRates>,
    /// Its description of itself.
    pub info: Option<AgentInfo>,
    /// The last minutes by the second; absent unless the agent is looked at and has a series.
    pub recent: Option<RecentSeconds>,
    /// The window with long lists, last received while one filled the screen.
    pub long: Option<Observation>,
    /// What it is looked into for.
    pub focus: Option<Box<FocusModel>>,
    /// The window with its sketches, last received while it was a part of the whole fleet.
    pub sketches: Option<KeptSketches>,
    /// What is wrong, the most severe first; absent from agents that do not judge.
    pub findings: Option<Vec<FindingRow>>,
    /// Its past.
    pub history: History,
    /// The time of the last answer.
    pub answered_at: Option<Duration>,
    /// The duration of the last round.
    pub round_trip: Duration,
    /// The ledger of some minutes ago, with its time.
    ledger_before: Option<(Duration, Ledger)>,
}

impl AgentModel {
    /// An agent before the first request.
    pub fn new(label: &str) -> Self {
        Self {
            label: Printable::new(label),
            link: AgentLink::Connecting,
            window: None,
            live: None,
            rates: None,
            info: None,
            recent: None,
            long: None,
            focus: None,
            sketches: None,
            findings: None,
            history: History::default(),
            answered_at: None,
            round_trip: Duration::ZERO,
            ledger_before: None,
        }
    }

    /// Applies an update of the poller at `now`.
    pub fn update(&mut self, update: Update, now: Duration) {
        match update {
            Update::Answer(answer) => self.answer(*answer, now),
            Update::Failure { error, retry_in } => {
                let (since, attempts) = match self.link {
                    AgentLink::Down { since, attempts, .. } => (since, attempts),
                    _ => (now, 0),
                };
                self.link = AgentLink::Down {
                    error: Printable::new(&error.to_string()),
                    since,
                    retry_at: now + retry_in,
                    attempts: attempts.saturating_add(1),
                };
                self.history.miss();
                self.pass_link_on();
            }
        }
    }

    pub(super) fn answer(&mut self, mut answer: AgentAnswer, now: Duration) {
        if let Some(app) = answer.app.take() {
            let info = AgentInfo::new(&app);
            let restarted = self.info.as_ref().is_some_and(|before| info.is_after_restart(before));
            if restarted {
                self.sketches = None;
                self.history.forget_periods();
                self.ledger_before = None;
            }
            let is_old = |at: Duration| now.saturating_sub(at) > LOSS_REMEMBERED;
            if self.ledger_before.is_none_or(|(at, _)| is_old(at)) {
                self.ledger_before = info.ledger.map(|ledger| (now, ledger));
            }
            self.info = Some(info);
        }
        let observe = if answer.ours { Observation::new } else { Observation::of_older_agent };
        let mut window = observe(&answer.window_name, std::mem::take(&mut answer.window));
        if let Some(rolling) = answer.rolling.take() {
            window.add_rates(rolling);
        }
        if let Some(long) = answer.long.take() {
            let mut observation = observe(&answer.window_name, long.window);
            long.rolling.into_iter().for_each(|rolling| observation.add_rates(rolling));
            self.long = Some(observation);
        }
        self.take_focus(answer.focus.take(), now);
        let is_same = self.window.as_ref().is_none_or(|before| before.name == window.name);
        let is_kept = |kept: &KeptSketches| is_same && now.saturating_sub(kept.at) < SKETCHES_KEPT;
        let fresh = answer.sketches.take().map(|document| KeptSketches { at: now, document });
        self.sketches = fresh.or(self.sketches.take().filter(is_kept));
        let live = answer.live.take().map(|live| observe("1m", live));
        self.history.record(&answer, &window, live.as_ref(), now);
        self.window = Some(window);
        self.live = live;
        self.rates = answer.rates;
        self.recent = answer.series.as_ref().map(RecentSeconds::new);
        self.findings = answer.findings.as_ref().map(findings);
        self.round_trip = answer.round_trip;
        self.answered_at = Some(now);
        if self.link != AgentLink::Saved {
            self.link = AgentLink::Up;
        }
    }

    /// Whether the agent is of our line; unknown ones are not.
    pub fn is_ours(&self) -> bool {
        self.window.as_ref().is_some_and(|window| window.ours)
    }

    /// Time since the last answer.
    pub fn age(&self, now: Duration) -> Option<Duration> {
        self.answered_at.map(|at| now.saturating_sub(at))
    }

    /// Whether it captures from a file, whose rates of the last second have no meaning.
    pub fn is_file(&self) -> bool {
        self.link == AgentLink::Saved
            || self.capture().is_some_and(|capture| capture.is_file && capture.finished)
    }

    /// The source of its packets, if the agent reports it.
    pub fn capture(&self) -> Option<&CaptureState> {
        self.info.as_ref()?.capture.as_ref()
    }

    /// The watched interfaces that are not up, in words: `eth0 is down`. `None` if all are up, or
    /// the agent does not report them.
    pub fn interface_trouble(&self) -> Option<String> {
        self.capture()?.interface_trouble()
    }

    /// What to do if the agent does not know the addresses of HOST, so that nothing has a direction:
    /// in the agent's words if it offers addresses. `None` if all is well.
    pub fn direction_advice(&self) -> Option<&str> {
        const ADVICE: &str = "no direction, no latency: tell pktvisord the addresses of HOST with -H";
        self.window.as_ref().filter(|window| window.has_no_direction())?;
        let notes = self.capture().map_or(&[][..], |capture| capture.notes.as_slice());
        let offer = notes.iter().map(Printable::as_str).find(|note| note.contains("-H "));
        Some(offer.unwrap_or(ADVICE))
    }

    /// Its state.
    pub fn standing(&self, now: Duration) -> Standing {
        match (&self.link, self.age(now)) {
            (AgentLink::Saved, _) => Standing::Saved,
            (AgentLink::Connecting, None) => Standing::Connecting,
            (AgentLink::Down { .. }, None) => Standing::Absent,
            (AgentLink::Down { .. }, Some(_)) => Standing::Stale,
            (_, Some(age)) if age > STALE_AFTER => Standing::Stale,
            _ if self.is_file() => Standing::Finished,
            _ => Standing::Live,
        }
    }

    /// The newest seconds, the newest first: of the agent's own series, or else as this UI saw
    /// them.
    pub fn seconds(&self) -> impl Iterator<Item = SecondSample> {
        let recent = self.recent.as_ref();
        let seen = recent.is_none().then(|| self.history.seconds().copied());
        recent.map(RecentSeconds::samples).into_iter().flatten().chain(seen.into_iter().flatten())
    }

    /// The figures of now, with the number of their seconds: the last ten, or the last one where
    /// the agent has no series. `None` for a file, where nothing moves any more.
    pub fn figures_now(&self) -> Option<(usize, SpanFigures)> {
        if self.is_file() {
            return None;
        }
        let (seconds, figures) = match &self.recent {
            Some(recent) => (recent.span_seconds(), recent.figures(self.waiting())),
            None => (1, SpanFigures::of_sample(self.history.newest()?)),
        };
        let has_sides = self.window.as_ref().is_some_and(Observation::has_sides);
        let sides = has_sides.then(|| self.history.sides(self.waiting()));
        Some((seconds, SpanFigures { sides, ..figures }))
    }

    /// The figures of the window.
    pub fn window_figures(&self) -> Option<SpanFigures> {
        self.window.as_ref().map(|window| SpanFigures::of_window(window, self.waiting()))
    }

    fn waiting(&self) -> u64 {
        self.info.as_ref().map_or(0, |info| info.waiting)
    }

    /// Queries a second now, or on average for a file.
    pub fn queries_per_second(&self) -> Option<u64> {
        let window = self.window.as_ref()?;
        let average = || window.per_second(window.dns.wire_packets.queries);
        if self.is_file() {
            average()
        } else {
            self.history.newest().and_then(|now| now.queries).or_else(average)
        }
    }

    /// Packets a second in and out now, or on average for a file.
    pub fn packets_per_second(&self) -> (Option<u64>, Option<u64>) {
        let Some(window) = &self.window else { return (None, None) };
        match self.rates {
            Some(rates) if !self.is_file() => (Some(rates.received), Some(rates.sent)),
            _ => (window.per_second(window.packets.received), window.per_second(window.packets.sent)),
        }
    }

    /// Share of the packets meant for deep analysis that were lost on the way in the last minutes,
    /// as far as they were watched. Older losses do not affect the current state.
    pub fn recent_loss_share(&self) -> Option<f64> {
        let ledger = self.info.as_ref()?.ledger?;
        let (_, before) = self.ledger_before?;
        let meant = |ledger: &Ledger| ledger.dns_packets.saturating_sub(ledger.not_chosen);
        share(ledger.lost.saturating_sub(before.lost), meant(&ledger).saturating_sub(meant(&before)))
    }

    /// The worst state of its numbers.
    pub fn health(&self, now: Duration) -> HealthLevel {
        match self.standing(now) {
            Standing::Absent | Standing::Stale => return HealthLevel::Bad,
            Standing::Connecting => return HealthLevel::Unknown,
            Standing::Live | Standing::Finished | Standing::Saved => {}
        }
        if self.interface_trouble().is_some() {
            return HealthLevel::Bad;
        }
        let window = self.window.as_ref();
        let findings = self.findings.as_deref().unwrap_or_default();
        HealthLevel::of_finding(findings.first().map(|finding| finding.severity))
            .max(HealthLevel::of_errors(window.and_then(Observation::error_share)))
            .max(HealthLevel::of_nxdomain(window.and_then(|w| w.share_of(super::Rcode::Nxdomain))))
            .max(HealthLevel::of_timeouts(window.and_then(Observation::timeout_share)))
            .max(HealthLevel::of_loss(self.recent_loss_share()))
    }
}
