//! The networks that the agent is put into: a host and its peer, or a mirror port.

use testbed::{End, Namespace, Veth, VethPair};

/// The peer's addresses.
pub(crate) const PEER: [&str; 2] = ["10.53.0.2", "fd53::2"];
/// The watched host's addresses.
pub(crate) const HOST: [&str; 2] = ["10.53.0.1", "fd53::1"];

/// Two machines and the cable between them.
pub(crate) struct Network {
    pair: VethPair,
    pub(crate) peer: Namespace,
    pub(crate) watched: Namespace,
}

impl Network {
    /// A host with addresses, and a peer that talks to it.
    pub(crate) fn host() -> Self {
        Self::host_with(|veth| veth)
    }

    /// As [`Network::host`], with changes to the link.
    pub(crate) fn host_with(change: impl FnOnce(Veth) -> Veth) -> Self {
        Self::new(|veth| change(veth.addresses("10.53.0.2/24", "10.53.0.1/24")))
    }

    /// An interface that only receives, with an MTU for the tags that a mirror adds.
    pub(crate) fn mirror(queues: u32) -> Self {
        let network = Self::new(|veth| veth.queues(queues).mtu(2000));
        network.peer().hold_back();
        network
    }

    fn new(change: impl FnOnce(Veth) -> Veth) -> Self {
        let (peer, watched) = (Namespace::new(), Namespace::new());
        let pair = change(Veth::new(&peer, &watched)).create();
        Self { pair, peer, watched }
    }

    /// The peer's interface.
    pub(crate) fn peer(&self) -> &End {
        &self.pair.left
    }

    /// The interface the agent watches.
    pub(crate) fn interface(&self) -> &End {
        &self.pair.right
    }
}
