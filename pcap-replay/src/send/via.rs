//! The two kinds of socket.

use std::fmt;
use std::str::FromStr;

/// A kind of socket that sends frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// AF_XDP in copy mode: faster, and able to choose the transmit queue. Minimum kernel version:
    /// 4.18.
    AfXdp,
    /// AF_PACKET, which bypasses the queueing discipline: works on every interface and MTU.
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
#[error("{0:?} is not a kind of socket: write af-xdp or af-packet")]
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
