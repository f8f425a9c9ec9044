//! The two ways into the kernel, and which one is taken.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::af_packet::PacketOutlet;
use super::af_xdp::XdpOutlet;
use super::interface::Interface;
use super::{SendError, Share, af_xdp};

/// A kind of socket that sends frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// AF_XDP in copy mode: the faster one, and the one that chooses the transmit queue. Minimum kernel version: 4.18.
    AfXdp,
    /// AF_PACKET past the queueing discipline: works on every interface and MTU.
    AfPacket,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AfXdp => "AF_XDP",
            Self::AfPacket => "AF_PACKET",
        })
    }
}

/// Neither "af-xdp" nor "af-packet".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of socket: write af-xdp or af-packet")]
pub struct ParseViaError(String);

impl FromStr for Via {
    type Err = ParseViaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "af-xdp" => Ok(Self::AfXdp),
            "af-packet" => Ok(Self::AfPacket),
            _ => Err(ParseViaError(text.to_owned())),
        }
    }
}

/// Takes frames for the kernel.
pub(super) trait Outlet {
    /// Takes a copy of a frame that is no longer than the interface's longest; hands over what has been taken when there
    /// is enough of it.
    fn push(&mut self, frame: &[u8], queue: u32) -> io::Result<()>;

    /// Hands over everything taken so far and returns when the kernel has it.
    fn flush(&mut self) -> io::Result<()>;

    /// Frames handed over that the interface's driver dropped, as far as the kernel tells.
    fn dropped(&self) -> u64;
}

/// Opens the kind that is asked for, where none is the best that works; of the queues only those of the share.
pub(super) fn open(
    interface: &Interface,
    via: Option<Via>,
    queues: u32,
    share: Share,
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
    interface: &Interface,
    queues: u32,
    share: Share,
) -> Result<(Box<dyn Outlet + Send>, Via), SendError> {
    let limit = af_xdp::LONGEST_FRAME;
    if interface.longest_frame() > limit {
        return Err(SendError::FramesTooLong { interface: interface.name.clone(), limit });
    }
    Ok((Box::new(XdpOutlet::open(interface, queues, share)?), Via::AfXdp))
}

fn af_packet(interface: &Interface) -> Result<(Box<dyn Outlet + Send>, Via), SendError> {
    let opened = PacketOutlet::open(interface);
    let outlet = opened.map_err(|reason| SendError::open(Via::AfPacket, &interface.name, None, reason))?;
    Ok((Box::new(outlet), Via::AfPacket))
}
