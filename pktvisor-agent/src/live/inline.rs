//! `inline`: programs count every packet as it passes and copy DNS. Worker threads analyse it in
//! the order of time.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, bail};
use pktvisor_capture::attach::{Attached, Attacher};
use pktvisor_capture::interfaces::{Interface, Interfaces, SystemInterfaces};
use pktvisor_capture::privileges;
use pktvisor_definitions::Mode;

use super::any::AnyInterface;
use super::changes::Changes;
use super::clock;
use super::config::{LiveConfig, LiveTarget};
use super::coordination::Coordination;
use super::follow::{self, Watch};
use super::host::{self, HostFollower};
use super::named::{Attach, Hooks, NamedInterface};
use super::pause::Pause;
use super::placement::Placement;
use super::prepare::{DnsPath, Prepared, host_table};
use super::program_config::ProgramConfig;
use super::programs::Programs;
use super::running::RunningCapture;
use super::successors::Successors;
use super::worker::{self, WorkerSettings};
use crate::agent::Agent;

/// Attaches the programs to the target's interface, gives away the privileges and starts the
/// threads.
///
/// # Errors
///
/// Why the agent would not see every packet. Nothing stays attached.
pub(super) fn start(config: &LiveConfig, agent: &Arc<Agent>) -> anyhow::Result<Box<dyn RunningCapture>> {
    let placement = Placement::of_processors(config.threads);
    let interfaces = match &config.target {
        LiveTarget::Interface(interface) => vec![interface.clone()],
        LiveTarget::AnyInterface => SystemInterfaces.list().context("cannot list the network interfaces")?,
    };
    let Prepared { coordination, attacher, configuration, collector, rings, ring_records, analysis } =
        Prepared::new(config, agent, &interfaces, placement.shards, DnsPath::RingBuffers)?;
    agent.store.batch().tick(clock::wall_ns());
    let set_host = host_setter(configuration, Arc::clone(&coordination));
    let host = HostFollower::new(&config.host, agent, &interfaces, set_host);
    let attachments = attachments(config, agent, attacher, host, &coordination)?;
    let settings = WorkerSettings { analysis, pause: Pause::new(config.polling, ring_records) };
    let threads = worker::start(agent, &coordination, rings, &settings, &placement, &Successors::default())?;
    Ok(Box::new(Programs::run(coordination, attachments, collector, threads)?))
}

/// Sets HOST in the programs and in the analysis, which must agree. If the programs have no room
/// for it, both keep their old HOST.
pub(super) fn host_setter(configuration: ProgramConfig, coordination: Arc<Coordination>) -> host::SetHost {
    Box::new(move |host| {
        let table = host_table(host)?;
        configuration.change(|config| config.host = table);
        coordination.set_host(host);
        Ok(())
    })
}

/// Attaches to one interface or to all, and starts the thread that attaches to those that appear
/// later.
fn attachments(
    config: &LiveConfig,
    agent: &Arc<Agent>,
    attacher: Attacher,
    host: HostFollower,
    coordination: &Arc<Coordination>,
) -> anyhow::Result<JoinHandle<()>> {
    let keep = privileges::keep(Mode::Inline, &privileges::KernelFeatures::running());
    // Before the first look at the interfaces, so that no change is missed in between.
    let changes = Changes::subscribe().context("cannot watch for interfaces that come and go")?;
    let coordination = Arc::clone(coordination);
    let is_over = move || coordination.is_detaching();
    if let LiveTarget::Interface(interface) = &config.target {
        let mut attacher = attacher;
        let attached = Attach::attach(&mut attacher, interface)?;
        let named = NamedInterface::new(&config.target_text, agent, attacher, attached, host, interface);
        return follow::start(agent, named, changes, keep, is_over);
    }
    let mut any = AnyInterface::new(agent, attacher, host);
    any.update(&SystemInterfaces.list().context("cannot list the network interfaces")?);
    if !any.is_attached() {
        bail!("cannot capture from any interface: {}", any.refusals());
    }
    follow::start(agent, any, changes, keep, is_over)
}

impl Attach for Attacher {
    type Attached = Attached;

    fn attach(&mut self, interface: &Interface) -> anyhow::Result<(Attached, Hooks)> {
        let attached = Self::attach(self, interface)?;
        let hooks = Hooks {
            ingress: attached.ingress.to_string(),
            ingress_reason: Some(attached.ingress_reason.clone()),
            egress: attached.egress.map(|hook| hook.to_string()),
            notes: attached.notes.clone(),
        };
        Ok((attached, hooks))
    }

    fn is_live(&self, attached: &Attached, _: &Interface) -> bool {
        attached.is_live()
    }

    fn detach(&mut self, attached: Attached) {
        drop(attached);
    }
}
