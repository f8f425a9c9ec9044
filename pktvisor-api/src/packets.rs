//! `packets`: what was counted for every packet.

use serde::{Deserialize, Serialize};

use super::report::report;

pktvisor_definitions::packets!(report);
pktvisor_definitions::ip_cardinality!(report);
pktvisor_definitions::packet_rates!(report);

impl PacketRates {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.pps_in.is_none() && self.pps_out.is_none()
    }
}
