//! Where filters run, and what a packet looks like there.

/// Where a filter program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// XDP: single packets, as the driver delivers them.
    Xdp {
        /// Whether packets may lie in several pieces (`xdp.frags`, Linux 5.18). Must be as in the main program.
        frags: bool,
    },
    /// tcx or clsact, either direction: the outer VLAN tag may be in the socket buffer's metadata.
    Tc,
}

/// A packet as a filter expression sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// As the context shows it.
    AsIs,
    /// With the VLAN tag of the metadata put back behind the two MAC addresses.
    Tagged,
}
