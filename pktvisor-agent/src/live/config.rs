//! The settings of a live capture.

use std::path::PathBuf;

use ipnet::IpNet;
use pktvisor_capture::attach::{HookChoice, link_type};
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::Interface;
use pktvisor_capture::{Filter, FilterError};
use pktvisor_definitions::Mode;

use crate::pipeline::config::PipelineConfig;

/// What a live capture is to do. Every value is valid.
#[derive(Clone, Debug)]
pub(crate) struct LiveConfig {
    /// Which interfaces to watch.
    pub target: LiveTarget,
    /// The target as the user wrote it.
    pub target_text: String,
    /// How to take packets; `None`: inline, or with a packet socket if that is unavailable.
    pub mode: Option<Mode>,
    /// Where inline mode counts received packets.
    pub hook: HookChoice,
    /// Which packets count.
    pub filter: LiveFilter,
    /// Which networks are HOST.
    pub host: HostConfig,
    /// How packets are analysed.
    pub pipeline: PipelineConfig,
    /// Number of worker threads; `None`: the mode decides.
    pub threads: Option<u16>,
    /// How worker threads wait for packets.
    pub polling: Polling,
    /// Percentage of one processor above which the agent analyses fewer flows.
    pub cpu_budget_pct: Option<u32>,
    /// BPF programs to load instead of the built-in ones.
    pub bpf_object: Option<PathBuf>,
    /// Which interfaces `tap` mode may take the packets of.
    pub tap_safety: TapSafety,
}

/// The interfaces of a live capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LiveTarget {
    /// One interface.
    Interface(Interface),
    /// Every interface that is up, also those that come up later.
    AnyInterface,
}

/// How worker threads wait for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polling {
    /// They sleep between polls, so that each poll finds many packets.
    WithPauses,
    /// They poll without pauses; each needs a processor of its own.
    Busy,
}

/// Which interfaces `tap` mode may take the packets of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TapSafety {
    /// Only those that the host does not use: without addresses and routes.
    UnusedOnly,
    /// All. The host then loses the packets of the interface.
    Forced,
}

/// The filter of a live capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LiveFilter {
    /// A tcpdump filter expression.
    pub expression: Option<String>,
    /// A port whose TCP packets do not count: that of the agent's own web server.
    pub ignored_port: Option<u16>,
}

impl LiveFilter {
    /// The filter with both parts; `None` if every packet counts.
    pub(crate) fn filter(&self) -> Option<Filter> {
        match self.ignored_port {
            Some(port) => Some(Filter::without_tcp_port(self.expression.as_deref(), port)),
            None => self.expression.as_deref().map(Filter::new),
        }
    }
}

/// Which networks are HOST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostConfig {
    /// The networks that the user gave.
    pub networks: Vec<IpNet>,
    /// The index of the interface whose addresses are HOST as well; `None`: the addresses of all
    /// interfaces are.
    pub interface: Option<u32>,
}

impl HostConfig {
    /// HOST while these are the machine's interfaces.
    pub(crate) fn host_set(&self, interfaces: &[Interface]) -> HostSet {
        let is_watched = |interface: &&Interface| self.interface.is_none_or(|index| interface.index == index);
        let watched = interfaces.iter().filter(is_watched);
        let own = watched.flat_map(|interface| &interface.addresses).map(|&address| IpNet::from(address));
        self.networks.iter().copied().chain(own).collect()
    }
}

impl LiveConfig {
    /// Compiles the filter, so that a mistake in it ends the agent before anything is attached.
    ///
    /// # Errors
    ///
    /// The expression does not compile, or does not compile for the link type of the interface.
    pub(crate) fn check_filter(&self) -> Result<(), FilterError> {
        // First the user's words alone: an error then quotes nothing that the agent added.
        let expression = self.filter.expression.as_deref().map(Filter::new);
        for filter in expression.into_iter().chain(self.filter.filter()) {
            filter.check()?;
            if let LiveTarget::Interface(interface) = &self.target {
                filter.check_for(link_type(interface))?;
            }
        }
        Ok(())
    }
}
