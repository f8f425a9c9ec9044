//! The counts of an item in two blocks of seconds.

use pktvisor_findings::ServerSecond;

use super::distinct::Distinct;
use super::server::ServerCounts;
use super::table::EvidenceCounts;
use super::zone::ZoneCounts;

/// Seconds that are kept one by one of a server.
pub(super) const SERVER_SECONDS: usize = 10;

/// The counts of an item in two blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TwoBlocks<C> {
    pub(super) current: C,
    pub(super) previous: C,
}

/// A zone in two blocks, and the names of the blocks before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ZoneWindow {
    pub(super) window: TwoBlocks<ZoneCounts>,
    pub(super) older_names: Distinct<64>,
}

/// A server in two blocks, and its last seconds one by one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServerWindow {
    pub(super) window: TwoBlocks<ServerCounts>,
    pub(super) seconds: [ServerMoment; SERVER_SECONDS],
}

/// What happened at a server in one second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServerMoment {
    pub(super) queries: u32,
    pub(super) responses: u32,
    pub(super) waited: u32,
}

impl<C: EvidenceCounts + Copy> TwoBlocks<C> {
    /// The counts of both blocks.
    pub(super) fn sum(&self) -> C {
        let mut sum = self.previous;
        sum.merge(&self.current);
        sum
    }

    /// Both blocks.
    pub(super) fn blocks(&self) -> [&C; 2] {
        [&self.previous, &self.current]
    }

    /// Begins a block.
    pub(super) fn rotate(&mut self) {
        self.previous = std::mem::take(&mut self.current);
    }
}

impl<C: EvidenceCounts + Copy> EvidenceCounts for TwoBlocks<C> {
    fn merge(&mut self, other: &Self) {
        self.current.merge(&other.current);
        self.previous.merge(&other.previous);
    }
}

impl EvidenceCounts for ZoneWindow {
    fn merge(&mut self, other: &Self) {
        self.window.merge(&other.window);
        self.older_names.merge(&other.older_names);
    }
}

impl EvidenceCounts for ServerWindow {
    fn merge(&mut self, other: &Self) {
        self.window.merge(&other.window);
    }
}

impl ServerWindow {
    /// The last seconds, newest first; `place` is the newest.
    pub(super) fn seconds(&self, place: usize) -> Vec<ServerSecond> {
        let (to_place, after_place) = self.seconds.split_at((place + 1).min(SERVER_SECONDS));
        let second = |&ServerMoment { queries, responses, waited }: &ServerMoment| ServerSecond {
            queries: u64::from(queries),
            responses: u64::from(responses),
            waited: u64::from(waited),
        };
        to_place.iter().rev().chain(after_place.iter().rev()).map(second).collect()
    }
}
