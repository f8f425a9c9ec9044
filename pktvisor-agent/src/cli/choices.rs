//! Options whose value is one of a few words: the words, their help, and their meaning.

use clap::ValueEnum;
use pktvisor_capture::attach::HookChoice;
use pktvisor_definitions::Mode;
use pktvisor_otlp::{Protocol, Temporality};

/// A [`Mode`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArgument {
    /// Count packets in the kernel as they pass, unchanged, and copy DNS (XDP, tcx).
    Inline,
    /// Take all packets of an interface that only receives a mirror port's copies (AF_XDP).
    Tap,
    /// Copy every packet to the agent; needs no BPF (AF_PACKET).
    Afpacket,
}

impl From<ModeArgument> for Mode {
    fn from(argument: ModeArgument) -> Self {
        match argument {
            ModeArgument::Inline => Self::Inline,
            ModeArgument::Tap => Self::Tap,
            ModeArgument::Afpacket => Self::AfPacket,
        }
    }
}

/// A [`HookChoice`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum HookArgument {
    /// Where it costs the host least, which the driver decides.
    Auto,
    /// In the driver, before the host does any work for a packet.
    Xdp,
    /// Where the network stack begins (traffic control).
    Tcx,
}

impl From<HookArgument> for HookChoice {
    fn from(argument: HookArgument) -> Self {
        match argument {
            HookArgument::Auto => Self::Auto,
            HookArgument::Xdp => Self::Xdp,
            HookArgument::Tcx => Self::Tcx,
        }
    }
}

/// A [`Protocol`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OtlpProtocolArgument {
    /// gRPC, usually on port 4317.
    Grpc,
    /// Protobuf over HTTP, usually on port 4318.
    Http,
}

impl From<OtlpProtocolArgument> for Protocol {
    fn from(argument: OtlpProtocolArgument) -> Self {
        match argument {
            OtlpProtocolArgument::Grpc => Self::Grpc,
            OtlpProtocolArgument::Http => Self::Http,
        }
    }
}

/// A [`Temporality`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OtlpTemporalityArgument {
    /// The start of the agent.
    Cumulative,
    /// The push before.
    Delta,
}

impl From<OtlpTemporalityArgument> for Temporality {
    fn from(argument: OtlpTemporalityArgument) -> Self {
        match argument {
            OtlpTemporalityArgument::Cumulative => Self::Cumulative,
            OtlpTemporalityArgument::Delta => Self::Delta,
        }
    }
}

/// How the agent writes its own messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: a level and a sentence.
    #[default]
    Text,
    /// For collectors: one JSON object on each line.
    Json,
}
