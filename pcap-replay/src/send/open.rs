//! Chooses and opens the kind of socket.

use super::QueueShare;
use super::af_packet::PacketOutlet;
use super::af_xdp::{self, XdpOutlet};
use super::error::SendError;
use super::interface::OutInterface;
use super::outlet::Outlet;
use super::via::Via;

/// Opens the requested kind, or the best one that works, for the queues of the share.
pub(super) fn open(
    interface: &OutInterface,
    via: Option<Via>,
    queues: u32,
    share: QueueShare,
) -> Result<(Box<dyn Outlet + Send>, Via), SendError> {
    match via {
        Some(Via::AfXdp) => af_xdp(interface, queues, share),
        Some(Via::AfPacket) if queues > 1 => Err(SendError::QueuesNeedAfXdp),
        Some(Via::AfPacket) => af_packet(interface),
        None if queues > 1 => af_xdp(interface, queues, share),
        None => af_xdp(interface, queues, share).or_else(|_| af_packet(interface)),
    }
}

fn af_xdp(
    interface: &OutInterface,
    queues: u32,
    share: QueueShare,
) -> Result<(Box<dyn Outlet + Send>, Via), SendError> {
    let limit = af_xdp::LONGEST_FRAME;
    if interface.longest_frame() > limit {
        return Err(SendError::FramesTooLong { interface: interface.name.clone(), limit });
    }
    Ok((Box::new(XdpOutlet::open(interface, queues, share)?), Via::AfXdp))
}

fn af_packet(interface: &OutInterface) -> Result<(Box<dyn Outlet + Send>, Via), SendError> {
    let opened = PacketOutlet::open(interface);
    let outlet = opened.map_err(|reason| SendError::open(Via::AfPacket, &interface.name, None, reason))?;
    Ok((Box::new(outlet), Via::AfPacket))
}
