//! The filter on messages that a request describes.

use pktvisor_metrics::watch::{MessageFilter, WireName, parse_network, parse_qtype, parse_rcode};

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

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

/// The parameters of a filter in the OpenAPI document.
pub(super) struct FilterParameters;

impl utoipa::IntoParams for FilterParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let described = [
            ("client", "The end that asks: an address or a prefix"),
            ("server", "The end that answers: an address or a prefix"),
            ("network", "Either end: an address or a prefix"),
            ("zone", "A name and all names below it"),
            ("name", "One name"),
            ("rcode", "A response code by name or number; only responses match"),
            ("qtype", "A record type by name or number"),
        ];
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let parameter = |(name, description)| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(text.clone()))
                .build()
        };
        described.map(parameter).into()
    }
}
