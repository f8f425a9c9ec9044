//! `inline`: programs count every packet in passing and copy DNS, for threads to analyse in the order of time.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use anyhow::{Context, bail};
use pktvisor_capture::attach::{Attacher, Hook};
use pktvisor_capture::interfaces::{Interfaces, SystemInterfaces};
use pktvisor_capture::privileges::{self, Work};

use super::any::{self, AnyInterface};
use super::changes::Changes;
use super::configuration::Configuration;
use super::deep::{self, DeepSettings};
use super::host::{self, HostFollower};
use super::placement::Placement;
use super::prepare::{Prepared, host_table};
use super::programs::{Attachments, Programs, tell_attached};
use super::shared::Shared;
use super::{clock, spawn};
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
    let threads = deep::start(agent, &shared, rings, &settings, &placement)?;
    Programs::run(shared, attachments, drain, threads)
}

/// Tells the programs and the analysis, which must agree: where the programs have no room, both keep what they know.
fn tell_host(configuration: Configuration, shared: Arc<Shared>) -> host::Tell {
    Box::new(move |host| {
        let table = host_table(host)?;
        configuration.change(|config| config.host = table);
        shared.set_host(host);
        Ok(())
    })
}

/// Attaches to the one interface, or to all there are and from a thread of its own to those that come.
fn attachments(
    options: &Options,
    agent: &Arc<Agent>,
    mut attacher: Attacher,
    host: HostFollower,
    shared: &Arc<Shared>,
) -> anyhow::Result<Attachments> {
    let running = privileges::Kernel::running();
    if let Target::Interface(interface) = &options.target {
        let attached = attacher.attach(interface)?;
        tell_attached(agent, &attached);
        let detaches = attached.egress == Some(Hook::Clsact);
        privileges::give_up(&privileges::keep(Work::Inline, &running, false, detaches))?;
        let shared = Arc::clone(shared);
        let thread = spawn("addresses", move || {
            host.follow(&SystemInterfaces, || shared.is_detaching());
        })?;
        return Ok(Attachments::One(Box::new((attached, attacher)), thread));
    }
    // Before the first look, so that nothing is missed between them.
    let changes = Changes::subscribe().context("cannot watch for interfaces that come up")?;
    let mut any = AnyInterface::new(Arc::clone(agent), attacher);
    any.update(&SystemInterfaces.list().context("cannot list the network interfaces")?);
    if !any.is_attached() {
        bail!("cannot capture from any interface: {}", any.refusals());
    }
    let shared = Arc::clone(shared);
    let (tell, given_up) = sync_channel(1);
    let thread = spawn("interfaces", move || {
        // This thread alone keeps what it takes to attach.
        let _ = tell.send(privileges::give_up(&privileges::keep(Work::Inline, &running, true, true)));
        any::follow(any, host, &SystemInterfaces, &changes, &shared);
    })?;
    given_up.recv().context("the watch over the interfaces broke down")??;
    Ok(Attachments::Any(thread))
}
