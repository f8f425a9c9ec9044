//! The filter on messages that a request describes.

use pktvisor_metrics::watch::{MessageFilter, WireName, parse_network, parse_qtype, parse_rcode};

use super::query::{ParameterError, Parameters};

const NETWORK: &str = "an address or a prefix such as 192.0.2.0/24";
const NAME: &str = "a domain name such as example.com";

/// Takes the parameters of a filter.
///
/// # Errors
///
/// A value is not what its parameter means.
pub(super) fn take_filter(parameters: &mut Parameters) -> Result<MessageFilter, ParameterError> {
    Ok(MessageFilter {
        client: parameters.take_parsed("client", NETWORK, parse_network)?,
        server: parameters.take_parsed("server", NETWORK, parse_network)?,
        network: parameters.take_parsed("network", NETWORK, parse_network)?,
        zone: parameters.take_parsed("zone", NAME, WireName::parse_zone)?,
        name: parameters.take_parsed("name", NAME, WireName::parse)?,
        rcode: parameters.take_parsed("rcode", "a response code such as NXDOMAIN or 3", parse_rcode)?,
        qtype: parameters.take_parsed("qtype", "a record type such as AAAA or 28", parse_qtype)?,
    })
}
