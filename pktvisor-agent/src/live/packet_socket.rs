//! `afpacket`: a packet socket brings every packet, and we count them.

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
use super::follow;
use super::host::HostFollower;
use super::losses::DriverDrops;
use super::named::{Attach, Hooks, NamedInterface};
use super::packet_loop::{self, Orders, Totals};
use super::spawn;
use crate::agent::{Agent, LinkState};
use crate::cli::{Options, Target};
use crate::pipeline::Pipeline;

/// A capture by packet socket that runs.
pub(super) struct PacketSocket {
    orders: Arc<Orders>,
    capture: JoinHandle<Result<Totals, AfPacketError>>,
    /// It follows the interfaces.
    interfaces: JoinHandle<()>,
    /// Hung up to stop the ticker.
    stop_ticking: SyncSender<()>,
    ticker: JoinHandle<()>,
}

impl PacketSocket {
    /// Opens the socket and starts to count.
    pub(super) fn start(
        options: &Options,
        agent: &Arc<Agent>,
        mut pipeline: Pipeline,
    ) -> anyhow::Result<Self> {
        let (ifindex, interfaces) = match &options.target {
            Target::Interface(interface) => (Some(interface.index), vec![interface.clone()]),
            _ => (None, SystemInterfaces.list().context("cannot list the network interfaces")?),
        };
        // Before the first look, so that nothing is missed between them.
        let changes = Changes::subscribe().context("cannot watch for interfaces that come and go")?;
        let mut socket = AfPacket::open(ifindex, &afpacket::SocketOptions::default())
            .with_context(|| format!("cannot capture from {}", options.target_text))?;
        let orders = Arc::new(Orders::default());
        let told = Arc::clone(&orders);
        let tell = move |host: &HostSet| {
            told.set_host(host.clone());
            Ok(())
        };
        let host = HostFollower::new(options, agent, &interfaces, Box::new(tell));
        let told = Arc::clone(&orders);
        let is_over = move || told.is_stopped();
        // Nobody needs a privilege any more: a packet socket may be bound to another interface without one.
        let keep = Keep::default();
        let interfaces = match &options.target {
            Target::Interface(interface) => {
                let port = PacketPort { binding: socket.binding()?, filter: options.filter() };
                let named = NamedInterface::new(options, agent, port, ((), hooks()), host, interface);
                follow::start(agent, named, changes, keep, is_over)?
            }
            _ => {
                let Hooks { ingress, egress, notes } = hooks();
                let (name, state) = (options.target_text.clone(), LinkState::Up.as_str().to_owned());
                agent.attached(api::CaptureInterface { name, ingress, egress, state }, notes);
                follow::start(agent, host, changes, keep, is_over)?
            }
        };
        agent.set_mode("afpacket");
        agent.store.batch().tick(wall_ns());
        let (agent_of_capture, told) = (Arc::clone(agent), Arc::clone(&orders));
        let capture = spawn(agent, "capture", move || {
            let agent = agent_of_capture;
            let outcome = packet_loop::capture(&mut socket, &mut pipeline, &agent.store, &told, |progress| {
                agent.packet_socket(progress.intake, &progress.statistics, progress.open_transactions);
                agent.unknown_ethertypes(&progress.intake.ethertypes, progress.intake.counted());
            });
            if let Err(error) = &outcome {
                agent.trouble(format!("the capture has ended: {error}"));
            }
            outcome
        })?;
        let (stop_ticking, stopped) = sync_channel(0);
        let agent_of_ticker = Arc::clone(agent);
        let ticker = spawn(agent, "ticker", move || tick(&agent_of_ticker, &stopped))?;
        Ok(Self { orders, capture, interfaces, stop_ticking, ticker })
    }

    /// Takes in what came before now, and ends.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.orders.stop();
        let captured = self.capture.join().ok().context("the capture broke down")?;
        drop(self.stop_ticking);
        self.ticker.join().ok().context("the clock broke down")?;
        self.interfaces.join().ok().context("the watch over the interfaces broke down")?;
        captured?;
        Ok(())
    }
}

/// A packet socket on one interface after the other: the one that was named, and its successors.
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

/// Turns seconds and periods by the wall clock until `stop` is hung up.
fn tick(agent: &Agent, stop: &Receiver<()>) {
    let mut driver = DriverDrops::default();
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(until_next_second()) {
        agent.store.batch().tick(wall_ns());
        agent.driver_drops(driver.since_start(&agent.interface_names()));
    }
}
