//! The hook on the way in: the one that the user asks for, or else the one that costs the host
//! least for packets that pass on.
//!
//! An XDP program runs before the driver has made a socket buffer. Drivers that keep their frames
//! where a program may touch them have nothing to do for it. Others copy every frame first (veth,
//! hv_netvsc), or give up receiving merged frames (virtio_net). A program at tcx sees the socket
//! buffer that the stack needs anyway, and one buffer for all frames that were merged.

use terminal_text::Escaped;

use super::hook::Hook;
use crate::interfaces::Hardware;

/// Which hook sees received packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookChoice {
    /// The one that costs the host least.
    #[default]
    Auto,
    /// Native XDP.
    Xdp,
    /// tcx, or clsact before Linux 6.6.
    Tcx,
}

/// The hooks to try for received packets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IngressPlan {
    /// In this order.
    pub(super) hooks: Vec<Hook>,
    /// Why the first one is the first.
    pub(super) reason: String,
}

/// Drivers whose receive path is the same with and without an XDP program: it hands pages with
/// headroom to programs and to the stack alike. With others, attaching may also stop the interface
/// for seconds, which nobody asked for.
const FREE_FOR_XDP: &[&str] = &["i40e", "ice", "igb", "igc", "ixgbe", "ixgbevf"];

/// What other drivers do for XDP.
const COSTS_OF_XDP: &[(&str, &str)] = &[
    ("veth", "copies every packet for XDP"),
    ("hv_netvsc", "copies every packet for XDP"),
    ("virtio_net", "receives no merged packets with XDP"),
    ("ena", "gives up half of its queues for XDP"),
];

impl IngressPlan {
    /// `classifier` is the hook of this kernel for classifiers.
    pub(super) fn new(
        choice: HookChoice,
        hardware: Hardware,
        driver: impl FnOnce() -> Option<String>,
        classifier: Hook,
    ) -> Self {
        let plan = |hooks: &[Hook], reason: &str| Self { hooks: hooks.to_vec(), reason: reason.to_owned() };
        let (xdp_first, xdp_last) = ([Hook::Xdp, classifier], [classifier, Hook::Xdp]);
        match (hardware, choice) {
            (Hardware::Loopback, _) => plan(&[classifier], "a loopback interface has no native XDP"),
            (Hardware::Ip | Hardware::Other(_), _) => {
                plan(&[classifier], "XDP programs expect an Ethernet header, which these packets lack")
            }
            (Hardware::Ethernet, HookChoice::Xdp) => plan(&xdp_first, "as --hook says"),
            (Hardware::Ethernet, HookChoice::Tcx) => plan(&xdp_last, "as --hook says"),
            (Hardware::Ethernet, HookChoice::Auto) if classifier == Hook::Clsact => {
                plan(&xdp_first, "this kernel has no tcx, which came with Linux 6.6")
            }
            (Hardware::Ethernet, HookChoice::Auto) => {
                let Some(driver) = driver() else {
                    return plan(&xdp_last, "what its driver does for XDP is unknown");
                };
                if FREE_FOR_XDP.contains(&driver.as_str()) {
                    return plan(&xdp_first, &format!("the driver {driver} does nothing extra for XDP"));
                }
                match COSTS_OF_XDP.iter().find(|(name, _)| *name == driver) {
                    Some((name, cost)) => plan(&xdp_last, &format!("the driver {name} {cost}")),
                    None => {
                        let driver = Escaped(&driver);
                        plan(&xdp_last, &format!("what the driver {driver} does for XDP is unknown"))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(driver: &str) -> IngressPlan {
        let driver = || Some(driver.to_owned());
        IngressPlan::new(HookChoice::Auto, Hardware::Ethernet, driver, Hook::Tcx)
    }

    #[test]
    fn the_driver_decides_unless_the_user_does() {
        assert_eq!(auto("ice").hooks, [Hook::Xdp, Hook::Tcx]);
        for driver in ["veth", "virtio_net", "bridge"] {
            assert_eq!(auto(driver).hooks, [Hook::Tcx, Hook::Xdp], "{driver}");
        }
        assert_eq!(auto("veth").reason, "the driver veth copies every packet for XDP");
        assert_eq!(auto("\u{1b}x").reason, "what the driver \\u{1b}x does for XDP is unknown");
        let plan = |choice| IngressPlan::new(choice, Hardware::Ethernet, || None, Hook::Tcx);
        assert_eq!(plan(HookChoice::Auto).hooks, [Hook::Tcx, Hook::Xdp]);
        assert_eq!(plan(HookChoice::Xdp).hooks, [Hook::Xdp, Hook::Tcx]);
        assert_eq!(plan(HookChoice::Tcx).hooks, [Hook::Tcx, Hook::Xdp]);
    }

    #[test]
    fn without_tcx_xdp_is_tried_first_whatever_the_driver_does() {
        for choice in [HookChoice::Auto, HookChoice::Xdp] {
            let driver = || Some("veth".to_owned());
            let plan = IngressPlan::new(choice, Hardware::Ethernet, driver, Hook::Clsact);
            assert_eq!(plan.hooks, [Hook::Xdp, Hook::Clsact]);
        }
    }

    #[test]
    fn an_interface_that_xdp_cannot_serve_gets_a_classifier_whatever_was_asked_for() {
        for hardware in [Hardware::Loopback, Hardware::Ip] {
            for choice in [HookChoice::Auto, HookChoice::Xdp, HookChoice::Tcx] {
                let plan = IngressPlan::new(choice, hardware, || None, Hook::Tcx);
                assert_eq!(plan.hooks, [Hook::Tcx]);
            }
        }
    }
}
