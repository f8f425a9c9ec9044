//! The tiles of the pages: what they show, and what makes a figure good or bad.

use ratatui::layout::Rect;

use crate::{
    app::UiState,
    format,
    model::{AgentModel, HealthLevel, InOut, Observation, QueryDirection, SecondSample, SpanFigures},
    theme::Theme,
    widgets::{
        Canvas,
        tiles::{self, Figure, Reading, Tile, TileStrip},
    },
};

/// A count that may be unknown.
pub(super) fn count_or_nothing(value: Option<u64>) -> String {
    value.map_or_else(|| format::NOTHING.to_owned(), format::count)
}

/// The figures of an agent, from which its tiles are made.
pub(super) struct Tiles<'a> {
    agent: &'a AgentModel,
    window: &'a Observation,
    now: Option<SpanFigures>,
    /// The name of the span of `now`: `10s`.
    now_name: String,
    over_window: SpanFigures,
    theme: &'a Theme,
}

impl<'a> Tiles<'a> {
    pub(super) fn new(agent: &'a AgentModel, window: &'a Observation, theme: &'a Theme) -> Self {
        let now = agent.figures_now();
        Self {
            agent,
            window,
            now: now.map(|(_, figures)| figures),
            now_name: now.map_or_else(String::new, |(seconds, _)| format!("{seconds}s")),
            over_window: agent.window_figures().unwrap_or_default(),
            theme,
        }
    }

    /// A figure whose text and style follow from its value.
    fn figure<T>(
        &self,
        name: &'static str,
        value: impl Fn(&SpanFigures) -> T,
        reading: impl Fn(T) -> Reading,
    ) -> Figure {
        let now = self.now.as_ref().map(|now| reading(value(now))).unwrap_or_default();
        Figure { name, now, window: reading(value(&self.over_window)) }
    }

    fn past(&self, figure: impl Fn(&SecondSample) -> Option<u64>) -> Vec<Option<u64>> {
        if self.now.is_none() {
            return Vec::new();
        }
        self.agent.seconds().map(|second| figure(&second)).collect()
    }

    fn count(&self, value: Option<u64>) -> Reading {
        Reading { text: count_or_nothing(value), style: self.theme.value }
    }

    fn bits(&self, value: Option<u64>) -> Reading {
        let text = value.map_or_else(|| format::NOTHING.to_owned(), format::bits_per_second);
        Reading { text, style: self.theme.value }
    }

    fn time(&self, value: Option<u64>) -> Reading {
        let text = value.map_or_else(|| format::NOTHING.to_owned(), format::microseconds);
        Reading { text, style: self.theme.value }
    }

    fn share(&self, value: Option<f64>, health: fn(Option<f64>) -> HealthLevel) -> Reading {
        Reading { text: format::percent(value), style: self.theme.health(health(value)) }
    }

    /// Queries a second.
    pub(super) fn queries(&self) -> Tile {
        let figure = self.figure("", |it| it.queries, |value| self.count(value));
        Tile { labels: ["DNS queries/s"; 2], figures: vec![figure], past: self.past(|second| second.queries) }
    }

    /// The share of replies that failed.
    pub(super) fn failed(&self) -> Tile {
        let reading = |value| self.share(value, HealthLevel::of_errors);
        let figure = self.figure("", |it| it.error_share, reading);
        let past = self.past(|second| second.errors_permille);
        Tile { labels: ["Failed replies"; 2], figures: vec![figure], past }
    }

    /// The share of queries that timed out or still wait for their response.
    pub(super) fn unanswered(&self) -> Tile {
        let reading = |value| self.share(value, HealthLevel::of_timeouts);
        let past = self.past(|second| second.unanswered_permille);
        let figure = |name, direction: QueryDirection| {
            self.figure(name, |it| direction.of(it.sides.unwrap_or_default()).unanswered_share, reading)
        };
        let (labels, figures) = match self.directions() {
            (true, true) => (
                ["Unanswered in, out", "Unanswered i/o"],
                vec![figure("in", QueryDirection::In), figure("out", QueryDirection::Out)],
            ),
            (true, false) => (["Unanswered in"; 2], vec![figure("in", QueryDirection::In)]),
            (false, true) => (["Unanswered out"; 2], vec![figure("out", QueryDirection::Out)]),
            (false, false) => (["Unanswered"; 2], vec![self.figure("", |it| it.unanswered_share, reading)]),
        };
        Tile { labels, figures, past }
    }

    /// Whether HOST is asked, and whether it asks, as far as the agent tells these apart.
    fn directions(&self) -> (bool, bool) {
        let dns = &self.window.dns;
        (dns.inbound.queries > 0, dns.outbound.queries > 0)
    }

    /// The share of NXDOMAIN in the replies.
    pub(super) fn nxdomain(&self) -> Tile {
        let reading = |value| self.share(value, HealthLevel::of_nxdomain);
        let figure = self.figure("", |it| it.nxdomain_share, reading);
        Tile { labels: ["NXDOMAIN"; 2], figures: vec![figure], past: Vec::new() }
    }

    /// The tiles of one direction.
    pub(super) fn of_direction(&self, direction: QueryDirection) -> [Tile; 5] {
        let side = |it: &SpanFigures| direction.of(it.sides.unwrap_or_default());
        let tile = |label, figure| Tile { labels: [label; 2], figures: vec![figure], past: Vec::new() };
        let queries = self.figure("", |it| side(it).queries, |value| self.count(value));
        let of_errors = |value| self.share(value, HealthLevel::of_errors);
        let failed = self.figure("", |it| side(it).error_share, of_errors);
        let of_timeouts = |value| self.share(value, HealthLevel::of_timeouts);
        let unanswered = self.figure("", |it| side(it).unanswered_share, of_timeouts);
        let p95 = self.figure("", |it| direction.of(it.p95_us), |value| self.time(value));
        let dns = &self.window.dns;
        let (labels, others) = match direction {
            QueryDirection::In => {
                (["Queries in/s", "Failed in", "Unanswered in", "p95 in", "Clients"], dns.inbound.clients)
            }
            QueryDirection::Out => (
                ["Queries out/s", "Failed out", "Unanswered out", "p95 out", "Servers"],
                dns.outbound.servers,
            ),
        };
        let [queries_label, failed_label, unanswered_label, p95_label, others_label] = labels;
        [
            tile(queries_label, queries),
            tile(failed_label, failed),
            tile(unanswered_label, unanswered),
            tile(p95_label, p95),
            self.count_of_window(others_label, others),
        ]
    }

    /// The 95th percentile of the transaction times, of the directions that have any.
    pub(super) fn latency(&self) -> Tile {
        let reading = |value| self.time(value);
        let inbound = self.figure("in", |it| it.p95_us.inbound, reading);
        let outbound = self.figure("out", |it| it.p95_us.outbound, reading);
        let spans = [self.now.unwrap_or_default().p95_us, self.over_window.p95_us];
        let has = |direction: fn(&InOut<Option<u64>>) -> Option<u64>| {
            spans.iter().any(|span| direction(span).is_some())
        };
        let (labels, figures) = match (has(|it| it.inbound), has(|it| it.outbound)) {
            (true, true) => (["p95 latency in, out", "p95 in, out"], vec![inbound, outbound]),
            (false, true) => (["p95 latency out"; 2], vec![outbound]),
            _ if self.window.has_no_direction() => (["p95: HOST unknown", "p95: no HOST"], vec![inbound]),
            _ => (["p95 latency in"; 2], vec![inbound]),
        };
        Tile { labels, figures, past: self.past(|second| second.p95_us) }
    }

    /// Packets a second, to HOST and from HOST; without any direction, packets a second.
    pub(super) fn packets(&self) -> Tile {
        let reading = |value| self.count(value);
        if self.window.has_no_direction() {
            let figure = self.figure("", |it| it.unknown, reading);
            let past = self.past(|second| second.unknown);
            return Tile { labels: ["Packets/s"; 2], figures: vec![figure], past };
        }
        let figures = vec![
            self.figure("in", |it| it.packets.inbound, reading),
            self.figure("out", |it| it.packets.outbound, reading),
        ];
        let both = |second: &SecondSample| Some(second.received?.saturating_add(second.sent?));
        Tile { labels: ["Packets/s in, out", "Pkts/s in,out"], figures, past: self.past(both) }
    }

    /// Bits a second, to HOST and from HOST, or in all.
    pub(super) fn bits_per_second(&self) -> [Tile; 2] {
        let reading = |value| self.bits(value);
        let packets = &self.window.packets;
        if self.window.has_no_direction() {
            let mean = self.bits(self.window.per_second(packets.bytes_total));
            let bytes = self.count(Some(packets.bytes_total));
            return [self.of_window("Bits", mean), self.of_window("Bytes", bytes)];
        }
        let tile = |label, figure| Tile { labels: [label; 2], figures: vec![figure], past: Vec::new() };
        [
            tile("Bits in", self.figure("", |it| it.bytes.inbound, reading)),
            tile("Bits out", self.figure("", |it| it.bytes.outbound, reading)),
        ]
    }

    /// A figure that is only known for the window.
    pub(super) fn of_window(&self, label: &'static str, window: Reading) -> Tile {
        let nothing = Reading { text: format::NOTHING.to_owned(), style: self.theme.label };
        Tile::of_one(label, nothing, window, Vec::new())
    }

    /// A number that is only known for the window.
    pub(super) fn count_of_window(&self, label: &'static str, value: u64) -> Tile {
        self.of_window(label, self.count(Some(value)))
    }

    /// Draws tiles.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, tiles: &[Tile]) {
        let (now, window) = (self.now_name.as_str(), self.window.name.as_str());
        // A window's name is short; what else an agent sends must not push the numbers away.
        let window = if window.chars().count() <= 3 { window } else { "all" };
        canvas.render(TileStrip { tiles, now, window, theme: self.theme }, area);
    }
}

/// Rows of the tiles on a page of this size: big numbers where panels have room as well.
pub(super) fn height(app: &UiState, area: Rect) -> u16 {
    let is_file = app.agent().is_some_and(AgentModel::is_file);
    match area.width >= 110 && area.height >= 34 {
        true => tiles::BIG,
        false if is_file => tiles::SMALL - 1,
        false => tiles::SMALL,
    }
}
