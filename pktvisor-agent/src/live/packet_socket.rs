//! `afpacket`: a packet socket copies every packet to the agent, which counts it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;
use pktvisor_api as api;
use pktvisor_capture::Filter;
use pktvisor_capture::afpacket::{self, AfPacket, AfPacketError, Binding};
use pktvisor_capture::attach::link_type;
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::{Hardware, Interface, Interfaces, SystemInterfaces};
use pktvisor_capture::privileges::Keep;

use super::changes::Changes;
use super::clock::{until_next_second, wall_ns};
use super::config::{LiveConfig, LiveTarget};
use super::follow;
use super::host::HostFollower;
use super::losses::DriverDrops;
use super::named::{Attach, Hooks, NamedInterface};
use super::packet_loop::{self, CaptureProgress, CaptureTotals, LoopControl};
use super::running::RunningCapture;
use super::spawn;
use crate::agent::Agent;
use crate::agent::interfaces::LinkState;
use crate::pipeline::Pipeline;

/// A capture by packet socket that runs.
struct PacketSocket {
    control: Arc<LoopControl>,
    capture: JoinHandle<Result<CaptureTotals, AfPacketError>>,
    /// The thread that follows the interfaces.
    interfaces: JoinHandle<()>,
    /// Dropped to stop the ticker.
    stop_ticking: SyncSender<()>,
    ticker: JoinHandle<()>,
}

/// Opens the socket and starts to count.
///
/// # Errors
///
/// The socket cannot be opened, or the filter or a geo database cannot be used.
pub(super) fn start(config: &LiveConfig, agent: &Arc<Agent>) -> anyhow::Result<Box<dyn RunningCapture>> {
    let (ifindex, interfaces) = match &config.target {
        LiveTarget::Interface(interface) => (Some(interface.index), vec![interface.clone()]),
        LiveTarget::AnyInterface => {
            (None, SystemInterfaces.list().context("cannot list the network interfaces")?)
        }
    };
    let host = config.host.host_set(&interfaces);
    let pipeline = Pipeline::new(&config.pipeline, config.filter.filter(), host)?;
    agent.status.set_geo(pipeline.geo.as_ref());
    // Before the first look at the interfaces, so that no change is missed in between.
    let changes = Changes::subscribe().context("cannot watch for interfaces that come and go")?;
    let socket = AfPacket::open(ifindex, &afpacket::SocketOptions::default())
        .with_context(|| format!("cannot capture from {}", config.target_text))?;
    let control = Arc::new(LoopControl::default());
    let interfaces = follow_interfaces(config, agent, &interfaces, changes, &socket, &control)?;
    agent.store.batch().tick(wall_ns());
    let capture = start_capture(agent, socket, pipeline, &control)?;
    let (stop_ticking, stopped) = sync_channel(0);
    let agent_of_ticker = Arc::clone(agent);
    let ticker = spawn(agent, "ticker", move || tick(&agent_of_ticker, &stopped))?;
    Ok(Box::new(PacketSocket { control, capture, interfaces, stop_ticking, ticker }))
}

/// Starts the thread that follows the interfaces, and gives away all privileges.
fn follow_interfaces(
    config: &LiveConfig,
    agent: &Arc<Agent>,
    interfaces: &[Interface],
    changes: Changes,
    socket: &AfPacket,
    control: &Arc<LoopControl>,
) -> anyhow::Result<JoinHandle<()>> {
    let loop_control = Arc::clone(control);
    let set_host = move |host: &HostSet| {
        loop_control.set_host(host.clone());
        Ok(())
    };
    let host = HostFollower::new(&config.host, agent, interfaces, Box::new(set_host));
    let loop_control = Arc::clone(control);
    let is_over = move || loop_control.is_stopped();
    // No thread needs a privilege after this: a packet socket may be bound to another interface
    // without one.
    let keep = Keep::default();
    match &config.target {
        LiveTarget::Interface(interface) => {
            let port = PacketPort { binding: socket.binding()?, filter: config.filter.filter() };
            let named = NamedInterface::new(&config.target_text, agent, port, ((), hooks()), host, interface);
            follow::start(agent, named, changes, keep, is_over)
        }
        LiveTarget::AnyInterface => {
            let Hooks { ingress, ingress_reason, egress, notes } = hooks();
            let (name, state) = (config.target_text.clone(), LinkState::Up.as_str().to_owned());
            let interface = api::CaptureInterface { name, ingress, ingress_reason, egress, state };
            agent.status.update_interfaces(|interfaces| interfaces.insert(interface, notes));
            follow::start(agent, host, changes, keep, is_over)
        }
    }
}

/// Starts the thread that sends packets through the pipeline.
fn start_capture(
    agent: &Arc<Agent>,
    mut socket: AfPacket,
    mut pipeline: Pipeline,
    control: &Arc<LoopControl>,
) -> anyhow::Result<JoinHandle<Result<CaptureTotals, AfPacketError>>> {
    let (agent_of_capture, control) = (Arc::clone(agent), Arc::clone(control));
    spawn(agent, "capture", move || {
        let agent = agent_of_capture;
        let outcome = packet_loop::capture(&mut socket, &mut pipeline, &agent.store, &control, |progress| {
            let CaptureProgress { intake, statistics, open_queries } = progress;
            agent.status.record_packet_socket(intake, &statistics, open_queries);
        });
        if let Err(error) = &outcome {
            agent.status.report_failure(format!("the capture has ended: {error}"));
        }
        outcome
    })
}

impl RunningCapture for PacketSocket {
    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        self.control.stop();
        let captured = self.capture.join().ok().context("the capture thread panicked")?;
        drop(self.stop_ticking);
        self.ticker.join().ok().context("the ticker thread panicked")?;
        self.interfaces.join().ok().context("the interfaces thread panicked")?;
        captured?;
        Ok(())
    }
}

/// A packet socket on one interface after the other: first the one that the user named, then its
/// successors.
struct PacketPort {
    binding: Binding,
    filter: Option<Filter>,
}

impl Attach for PacketPort {
    type Attached = ();

    fn attach(&mut self, interface: &Interface) -> anyhow::Result<((), Hooks)> {
        if let (Some(filter), Hardware::Ethernet | Hardware::Loopback | Hardware::Ip) =
            (&self.filter, interface.hardware)
        {
            filter.check_for(link_type(interface))?;
        }
        self.binding.bind(interface.index)?;
        Ok(((), hooks()))
    }

    fn is_live(&self, (): &(), _: &Interface) -> bool {
        !self.binding.is_lost()
    }

    fn detach(&mut self, (): ()) {}
}

fn hooks() -> Hooks {
    Hooks { ingress: "af_packet".to_owned(), ..Hooks::default() }
}

/// Ends seconds and rotates periods by the wall clock, until the sender of `stop` is dropped.
fn tick(agent: &Agent, stop: &Receiver<()>) {
    let mut driver = DriverDrops::default();
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(until_next_second()) {
        agent.store.batch().tick(wall_ns());
        agent.status.record_driver_drops(driver.since_start(&agent.status.present_interfaces()));
    }
}
