//! `dns`: messages, names and transactions.

use serde::{Deserialize, Serialize};

use super::report::report;

pktvisor_definitions::dns!(report);
pktvisor_definitions::dns_messages!(report);
pktvisor_definitions::dns_cardinality!(report);
pktvisor_definitions::transactions!(report);
pktvisor_definitions::transaction_counts!(report);
pktvisor_definitions::transaction_direction!(report);
pktvisor_definitions::dns_flags!(report);
pktvisor_definitions::edns!(report);
pktvisor_definitions::reassembly!(report);
pktvisor_definitions::dns_in!(report);
pktvisor_definitions::dns_out!(report);
