//! Pushes the metrics of the agent to an OpenTelemetry collector, if the options name one.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context;
use pktvisor_otlp::{
    FirstPush, OtlpCollector, PushSettings, PushStatistics, Pusher, ResourceAttributes, Undelivered,
};

use crate::agent::Agent;
use crate::cli::Options;

/// The agent, with what it needs to push.
pub(crate) fn prepare(options: &Options, agent: Agent) -> Agent {
    if options.otlp.is_some() { agent.with_push_statistics(Arc::default()) } else { agent }
}

/// Starts to push; `None` if the options name no collector.
///
/// # Errors
///
/// The thread cannot be started.
pub(crate) fn start(
    options: &Options,
    collector: Option<OtlpCollector>,
    agent: &Arc<Agent>,
) -> anyhow::Result<Option<Pusher>> {
    let (Some(otlp), Some(collector), Some(statistics)) = (&options.otlp, collector, agent.push_statistics())
    else {
        return Ok(None);
    };
    let is_served = options.serve || options.target.is_live();
    if collector.shows_headers() && !is_loopback(collector.endpoint().host()) {
        tracing::warn!("the headers of --otlp-headers cross the network unencrypted: give an https:// URL");
    }
    let settings = PushSettings {
        collector,
        interval: otlp.interval,
        temporality: otlp.temporality,
        resource: resource(options),
        // A file that is only read has its result at its end.
        first_push: if is_served { FirstPush::AtStart } else { FirstPush::AfterInterval },
    };
    let statistics: Arc<PushStatistics> = Arc::clone(statistics);
    let agent = Arc::clone(agent);
    let pusher = Pusher::start(settings, statistics, move || agent.snapshot());
    pusher.map(Some).context("cannot start the thread that pushes metrics")
}

/// Pushes the last values, for at most some seconds.
///
/// # Errors
///
/// The collector did not take them.
pub(crate) fn finish(pusher: Option<Pusher>) -> Result<(), Undelivered> {
    pusher.map_or(Ok(()), Pusher::finish)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The name of the instance lasts from one start to the next, and differs between the agents of a
/// machine because they have different targets.
fn resource(options: &Options) -> ResourceAttributes {
    let host_name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let host_name = host_name.unwrap_or_else(|| "unknown".to_owned());
    ResourceAttributes {
        service_name: "pktvisor".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        service_instance_id: format!("{host_name}:{}", options.target_text),
        host_name,
    }
}
