//! The last five to ten seconds, in two blocks of up to five seconds, and the findings on them.

use std::fmt;

use pktvisor_api::FindingsDocument;
use pktvisor_findings::{AgentObservation, Judge, TrafficObservation, TrafficTotals};

use super::client::ClientCounts;
use super::distinct::Distinct;
use super::named::NamedKey;
use super::server::ServerCounts;
use super::table::{EvidenceCounts, EvidenceTable};
use super::window::{SERVER_SECONDS, ServerMoment, ServerWindow, TwoBlocks, ZoneWindow};
use super::zone::ZoneName;
use super::{OwnedAddress, SecondEvidence, observe};

/// Seconds of a block. A window of five seconds and more has enough messages to judge, and one of
/// at most ten forgets an attack soon.
const BLOCK_S: u64 = 5;

/// After this time, the older names of zones are forgotten.
const OLDER_S: u64 = 3600;

/// Sets of the tables.
const ZONE_SETS: usize = 256;
const SERVER_SETS: usize = 128;
const CLIENT_SETS: usize = 256;

/// The state of the agent itself, asked for once a second.
pub type AgentSource = Box<dyn Fn() -> AgentObservation + Send>;

/// All inspected messages of a block.
#[derive(Clone, Copy, Debug, Default)]
struct EvidenceBlock {
    seconds: u64,
    inspected: u64,
    /// The number of messages that they stand for.
    messages: u64,
    totals: TrafficTotals,
}

/// How far the inspection has begun.
///
/// The agent's first second is not whole, and may carry the time of the process start: packets that
/// arrive before the collector runs count in it. Seconds without packets follow while programs are
/// attached and threads start. A rate over all that would be a fraction of the true one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Beginning {
    #[default]
    NoTraffic,
    /// There was one second with traffic.
    FirstSecond,
    Over,
}

impl Beginning {
    fn next(self, inspected: u64) -> Self {
        match (self, inspected) {
            (_, 0) => self,
            (Self::NoTraffic, _) => Self::FirstSecond,
            (Self::FirstSecond | Self::Over, _) => Self::Over,
        }
    }
}

/// The last seconds of all threads.
pub(crate) struct EvidenceHistory {
    zones: EvidenceTable<NamedKey<ZoneName>, ZoneWindow>,
    servers: EvidenceTable<NamedKey<OwnedAddress>, ServerWindow>,
    clients: EvidenceTable<NamedKey<OwnedAddress>, TwoBlocks<ClientCounts>>,
    block: TwoBlocks<EvidenceBlock>,
    /// The place of the running second among those of a server.
    place: usize,
    beginning: Beginning,
    inspected_s: u64,
    /// Seconds that have ended since anything was inspected.
    quiet_s: u64,
    last_s: Option<u64>,
    agent: AgentSource,
    judge: Judge,
}

impl fmt::Debug for EvidenceHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvidenceHistory").field("last_s", &self.last_s).finish_non_exhaustive()
    }
}

impl EvidenceHistory {
    pub(crate) fn new(agent: AgentSource) -> Self {
        Self {
            zones: EvidenceTable::new(ZONE_SETS),
            servers: EvidenceTable::new(SERVER_SETS),
            clients: EvidenceTable::new(CLIENT_SETS),
            block: TwoBlocks::default(),
            place: 0,
            beginning: Beginning::default(),
            inspected_s: 0,
            quiet_s: 0,
            last_s: None,
            agent,
            judge: Judge::default(),
        }
    }

    /// Takes what a thread inspected in the running second, and empties its tables.
    pub(crate) fn absorb(&mut self, evidence: &mut SecondEvidence) {
        if evidence.is_empty() {
            return evidence.begin_second();
        }
        self.quiet_s = 0;
        self.block.current.add(evidence);
        let Self { zones, servers, clients, place, .. } = self;
        evidence.zones.drain(|hash, name, counts, credit| {
            if let Some(zone) = zones.get_for(hash, credit, || NamedKey::new(*name)) {
                zone.window.current.merge(counts);
            }
        });
        evidence.servers.drain(|hash, address, counts, credit| {
            if let Some(server) = servers.get_for(hash, credit, || NamedKey::new(*address)) {
                server.window.current.merge(counts);
                let moment = &mut server.seconds[*place];
                moment.queries += counts.queries;
                moment.responses += counts.responses;
                moment.waited += counts.waited;
            }
        });
        evidence.clients.drain(|hash, address, counts, credit| {
            if let Some(window) = clients.get_for(hash, credit, || NamedKey::new(*address)) {
                window.current.merge(counts);
            }
        });
        evidence.begin_second();
    }

    /// Ends a second, of which everything has been [absorbed](Self::absorb), and judges it.
    pub(crate) fn end_second(&mut self, second_s: u64, packets: u64) {
        if self.last_s.is_some_and(|last_s| second_s > last_s + BLOCK_S) {
            self.forget_traffic();
        }
        self.last_s = Some(second_s);
        self.quiet_s += 1;
        self.beginning = self.beginning.next(self.block.current.inspected);
        if self.beginning == Beginning::Over {
            self.inspected_s += 1;
            self.block.current.seconds += 1;
        } else if !self.is_quiet() {
            self.forget_traffic();
        }
        let observation = self.observation(second_s, packets);
        self.judge.second(&observation);
        if self.block.current.seconds >= BLOCK_S {
            self.begin_block();
        }
        self.place = (self.place + 1) % SERVER_SECONDS;
        if self.is_quiet() {
            return;
        }
        let place = self.place;
        self.servers.each(|server| server.seconds[place] = ServerMoment::default());
    }

    /// Forgets everything: the clock jumped.
    pub(crate) fn clear(&mut self) {
        self.forget_traffic();
        self.last_s = None;
        self.beginning = Beginning::default();
        self.judge.clear();
    }

    /// The findings at the end of the last second.
    pub(crate) fn findings(&self) -> FindingsDocument {
        self.judge.document()
    }

    fn forget_traffic(&mut self) {
        self.zones.drain(|_, _, _, _| {});
        self.servers.drain(|_, _, _, _| {});
        self.clients.drain(|_, _, _, _| {});
        self.block = TwoBlocks::default();
        self.inspected_s = 0;
    }

    /// Whether both blocks, and so the tables, are empty. Then nobody has to look into them: most
    /// seconds of some captures are like this.
    fn is_quiet(&self) -> bool {
        self.quiet_s > 2 * BLOCK_S
    }

    fn begin_block(&mut self) {
        self.block.rotate();
        if self.is_quiet() {
            return;
        }
        let is_hour_over = self.inspected_s % OLDER_S < BLOCK_S;
        self.zones.retain(|zone| {
            if is_hour_over {
                zone.older_names = Distinct::default();
            }
            zone.older_names.merge(&zone.window.previous.names);
            zone.window.rotate();
            zone.window.previous.queries + zone.window.previous.responses
        });
        self.servers.retain(|server| {
            server.window.rotate();
            let ServerCounts { queries, responses, waited, .. } = server.window.previous;
            queries + responses + waited
        });
        self.clients.retain(|client| {
            client.rotate();
            client.previous.queries + client.previous.responses
        });
    }

    fn observation(&self, second_s: u64, packets: u64) -> TrafficObservation {
        let agent = AgentObservation { packets, ..(self.agent)() };
        let block = self.block.sum();
        let (inspected_s, window_s) = (self.inspected_s, block.seconds);
        if self.is_quiet() {
            return TrafficObservation {
                second_s,
                inspected_s,
                window_s,
                scale: 1.0,
                agent,
                ..Default::default()
            };
        }
        let scale = block.messages as f64 / block.inspected.max(1) as f64;
        let zones = self.zones.iter().filter(|(.., zone)| observe::is_zone_observed(zone));
        let servers = self.servers.iter().filter(|(.., server)| observe::is_server_observed(server));
        let clients = self.clients.iter().filter(|(.., client)| observe::is_client_observed(client));
        TrafficObservation {
            second_s,
            inspected_s,
            window_s,
            scale: scale.max(1.0),
            totals: block.totals,
            zones: zones.map(|(_, name, zone)| observe::zone(name, zone, &self.clients)).collect(),
            servers: servers
                .map(|(_, address, server)| observe::server(address, server, self.place))
                .collect(),
            clients: clients.map(|(_, address, client)| observe::client(address, &client.sum())).collect(),
            agent,
        }
    }
}

impl EvidenceBlock {
    fn add(&mut self, evidence: &SecondEvidence) {
        self.inspected += u64::from(evidence.inspected);
        self.messages += evidence.messages;
        self.totals.queries += u64::from(evidence.queries);
        self.totals.client_queries += u64::from(evidence.client_queries);
        self.totals.tcp_queries += u64::from(evidence.tcp_queries);
        self.totals.responses += u64::from(evidence.responses);
        self.totals.servfail += u64::from(evidence.servfail);
        self.totals.truncated += u64::from(evidence.truncated);
    }
}

impl EvidenceCounts for EvidenceBlock {
    fn merge(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.inspected += other.inspected;
        self.messages += other.messages;
        self.totals.queries += other.totals.queries;
        self.totals.client_queries += other.totals.client_queries;
        self.totals.tcp_queries += other.totals.tcp_queries;
        self.totals.responses += other.totals.responses;
        self.totals.servfail += other.totals.servfail;
        self.totals.truncated += other.totals.truncated;
    }
}
