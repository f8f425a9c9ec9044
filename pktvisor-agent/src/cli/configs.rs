//! Makes the settings of the parts of the agent from the options.

use std::num::NonZero;
use std::thread;

use pktvisor_capture::Filter;
use pktvisor_capture::hosts::HostSet;

use super::options::Options;
use super::target::Target;
use crate::live::config::{HostConfig, LiveConfig, LiveFilter, LiveTarget, Polling, TapSafety};
use crate::pipeline::config::PipelineConfig;
use crate::replay::ReplayThreads;

impl Options {
    /// The settings of a live capture; `None` for a capture file.
    pub(crate) fn live_config(&self) -> Option<LiveConfig> {
        let target = match &self.target {
            Target::Stdin | Target::File(_) => return None,
            Target::AnyInterface => LiveTarget::AnyInterface,
            Target::Interface(interface) => LiveTarget::Interface(interface.clone()),
        };
        let interface = match &target {
            LiveTarget::AnyInterface => None,
            LiveTarget::Interface(interface) => Some(interface.index),
        };
        Some(LiveConfig {
            target,
            target_text: self.target_text.clone(),
            mode: self.mode,
            hook: self.hook,
            filter: LiveFilter { expression: self.filter.clone(), ignored_port: self.ignored_port },
            host: HostConfig { networks: self.host_networks.clone(), interface },
            pipeline: self.pipeline_config(),
            threads: self.threads,
            polling: if self.busy_drain { Polling::Busy } else { Polling::WithPauses },
            cpu_budget_pct: self.cpu_budget_pct,
            bpf_object: self.bpf_object.clone(),
            tap_safety: if self.force { TapSafety::Forced } else { TapSafety::UnusedOnly },
        })
    }

    /// The settings of the analysis.
    pub(crate) fn pipeline_config(&self) -> PipelineConfig {
        PipelineConfig {
            dns_ports: self.dns_ports,
            dns_timeout: self.dns_timeout,
            max_deep_sample_pct: self.max_deep_sample_pct,
            geo_city: self.geo_city.clone(),
            geo_asn: self.geo_asn.clone(),
        }
    }

    /// How many threads read a capture file: all processors that the process may use, unless the
    /// user says otherwise.
    pub(crate) fn replay_threads(&self) -> ReplayThreads {
        let threads = self.threads.map(usize::from);
        let threads = threads.or_else(|| thread::available_parallelism().ok().map(NonZero::get));
        if threads.is_some_and(|threads| threads > 1) { ReplayThreads::Two } else { ReplayThreads::One }
    }

    /// The filter of a capture file.
    pub(crate) fn file_filter(&self) -> Option<Filter> {
        self.filter.as_deref().map(Filter::for_files)
    }

    /// HOST of a capture file: the networks that the user gave.
    pub(crate) fn file_hosts(&self) -> HostSet {
        self.host_networks.iter().copied().collect()
    }
}
