//! `afpacket`: a packet socket brings every packet, and we count them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context;
use pktvisor_api as api;
use pktvisor_capture::afpacket::{self, AfPacket, AfPacketError};
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::{Interfaces, SystemInterfaces};
use pktvisor_capture::privileges::{self, Keep};

use super::clock::{until_next_second, wall_ns};
use super::host::HostFollower;
use super::losses::DriverDrops;
use super::packet_loop::{self, Orders, Totals};
use super::spawn;
use crate::agent::Agent;
use crate::cli::{Options, Target};
use crate::pipeline::Pipeline;

/// A capture by packet socket that runs.
pub(super) struct PacketSocket {
    orders: Arc<Orders>,
    capture: JoinHandle<Result<Totals, AfPacketError>>,
    addresses: JoinHandle<()>,
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
        let mut socket = AfPacket::open(ifindex, &afpacket::Options::default())
            .with_context(|| format!("cannot capture from {}", options.target_text))?;
        privileges::give_up(&Keep::default())?;
        agent.set_mode("afpacket");
        agent.attached(api::CaptureInterface {
            name: options.target_text.clone(),
            ingress: "af_packet".to_owned(),
            egress: None,
        });
        agent.store.batch().tick(wall_ns());
        let orders = Arc::new(Orders::default());
        let (agent_of_capture, told) = (Arc::clone(agent), Arc::clone(&orders));
        let capture = spawn("capture", move || {
            let agent = agent_of_capture;
            let outcome = packet_loop::capture(&mut socket, &mut pipeline, &agent.store, &told, |progress| {
                agent.packet_socket(progress.intake, &progress.statistics, progress.open_transactions);
            });
            if let Err(error) = &outcome {
                agent.trouble(format!("the capture has ended: {error}"));
            }
            outcome
        })?;
        let told = Arc::clone(&orders);
        let tell = move |host: &HostSet| {
            told.set_host(host.clone());
            Ok(())
        };
        let host = HostFollower::new(options, agent, &interfaces, Box::new(tell));
        let told = Arc::clone(&orders);
        let addresses = spawn("addresses", move || {
            host.follow(&SystemInterfaces, || told.is_stopped());
        })?;
        let (stop_ticking, stopped) = sync_channel(0);
        let agent = Arc::clone(agent);
        let ticker = spawn("ticker", move || tick(&agent, &stopped))?;
        Ok(Self { orders, capture, addresses, stop_ticking, ticker })
    }

    /// Takes in what came before now, and ends.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.orders.stop();
        let captured = self.capture.join().ok().context("the capture broke down")?;
        drop(self.stop_ticking);
        self.ticker.join().ok().context("the clock broke down")?;
        self.addresses.join().ok().context("the watch over the addresses broke down")?;
        captured?;
        Ok(())
    }
}

/// Turns seconds and periods by the wall clock until `stop` is hung up.
fn tick(agent: &Agent, stop: &Receiver<()>) {
    let mut driver = DriverDrops::default();
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(until_next_second()) {
        agent.store.batch().tick(wall_ns());
        agent.driver_drops(driver.since_start(&agent.interface_names()));
    }
}
