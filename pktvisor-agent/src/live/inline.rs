//! `inline`: programs count every packet in passing and copy DNS, for threads to analyse in the order of time.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, bail};
use pktvisor_capture::attach::{Attached, Attacher};
use pktvisor_capture::interfaces::{Interface, Interfaces, SystemInterfaces};
use pktvisor_capture::privileges::{self, Work};

use super::any::AnyInterface;
use super::changes::Changes;
use super::clock;
use super::configuration::Configuration;
use super::deep::{self, DeepSettings};
use super::follow::{self, Watch};
use super::host::{self, HostFollower};
use super::named::{Attach, Hooks, NamedInterface};
use super::placement::Placement;
use super::prepare::{Prepared, host_table};
use super::programs::Programs;
use super::shared::Shared;
use super::successors::Successors;
use crate::agent::Agent;
use crate::cli::{Options, Target};

/// Attaches the programs to the target's interface, gives away the privileges and starts the threads.
///
/// # Errors
///
/// Whatever keeps us from seeing every packet; nothing stays attached.
pub(super) fn start(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Programs> {
    let placement = Placement::of_processors(options.threads);
    let interfaces = match &options.target {
        Target::Interface(interface) => vec![interface.clone()],
        _ => SystemInterfaces.list().context("cannot list the network interfaces")?,
    };
    let Prepared { shared, attacher, configuration, drain, rings, pause, analysis } =
        Prepared::new(options, agent, &interfaces, placement.shards)?;
    agent.store.batch().tick(clock::wall_ns());
    let tell = tell_host(configuration, Arc::clone(&shared));
    let host = HostFollower::new(options, agent, &interfaces, tell);
    let attachments = attachments(options, agent, attacher, host, &shared)?;
    agent.set_mode("inline");
    let settings = DeepSettings { analysis, pause };
    let threads = deep::start(agent, &shared, rings, &settings, &placement, &Successors::default())?;
    Programs::run(shared, attachments, drain, threads)
}

/// Tells the programs and the analysis, which must agree: where the programs have no room, both keep what they know.
pub(super) fn tell_host(configuration: Configuration, shared: Arc<Shared>) -> host::Tell {
    Box::new(move |host| {
        let table = host_table(host)?;
        configuration.change(|config| config.host = table);
        shared.set_host(host);
        Ok(())
    })
}

/// Attaches to the one interface, or to all there are, and from a thread of its own to those that come.
fn attachments(
    options: &Options,
    agent: &Arc<Agent>,
    attacher: Attacher,
    host: HostFollower,
    shared: &Arc<Shared>,
) -> anyhow::Result<JoinHandle<()>> {
    let keep = privileges::keep(Work::Inline, &privileges::KernelFeatures::running());
    // Before the first look, so that nothing is missed between them.
    let changes = Changes::subscribe().context("cannot watch for interfaces that come and go")?;
    let shared = Arc::clone(shared);
    let is_over = move || shared.is_detaching();
    if let Target::Interface(interface) = &options.target {
        let mut attacher = attacher;
        let attached = Attach::attach(&mut attacher, interface)?;
        let named = NamedInterface::new(options, agent, attacher, attached, host, interface);
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
