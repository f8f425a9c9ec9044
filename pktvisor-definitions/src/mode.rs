//! The ways to take packets from an interface.

use core::fmt;

/// How an agent takes packets from an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// BPF programs count packets as they pass, unchanged, and copy DNS.
    Inline,
    /// A BPF program takes all packets of a mirror port and hands DNS to AF_XDP sockets.
    Tap,
    /// A packet socket copies every packet to the agent; needs no BPF.
    AfPacket,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Inline, Self::Tap, Self::AfPacket];

    /// The name in the JSON, on the command line and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Tap => "tap",
            Self::AfPacket => "afpacket",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
