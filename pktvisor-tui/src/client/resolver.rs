//! Resolves the name of an agent like the system does, and adds the zone of a link-local address.

use std::net::{SocketAddr, ToSocketAddrs};

use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::endpoint::Zone;

/// The system's resolver. URLs have no zone that ureq understands, so it is added to the resolved
/// addresses.
#[derive(Debug, Default)]
pub(super) struct ZonedResolver {
    system: DefaultResolver,
    zone: Option<Zone>,
}

impl ZonedResolver {
    pub(super) fn new(zone: Option<Zone>) -> Self {
        Self { zone, ..Self::default() }
    }
}

impl Resolver for ZonedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.system.resolve(uri, config, timeout)?;
        let Some(zone) = &self.zone else { return Ok(addresses) };
        let mut zoned = self.empty();
        for address in addresses.iter() {
            zoned.push(within(*address, zone).ok_or(ureq::Error::HostNotFound)?);
        }
        Ok(zoned)
    }
}

/// The address within a zone, whose interface is looked up each time, because a recreated interface
/// gets another number. `None` if there is no such interface.
fn within(address: SocketAddr, zone: &Zone) -> Option<SocketAddr> {
    // The system knows how to read a zone: no name is looked up for an address.
    (format!("{}%{}", address.ip(), zone.as_str()), address.port()).to_socket_addrs().ok()?.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::AgentEndpoint;

    fn scope(host: &str) -> Option<u32> {
        let endpoint = AgentEndpoint::parse(host, 1).expect(host);
        let address = "[fe80::1]:7".parse().expect("an address");
        match within(address, endpoint.zone()?)? {
            SocketAddr::V6(address) => Some(address.scope_id()),
            SocketAddr::V4(_) => None,
        }
    }

    #[test]
    fn a_zone_is_the_number_of_its_interface() {
        // The loopback interface is there everywhere, and the first one of its namespace.
        assert_eq!(scope("fe80::1%lo"), Some(1));
        assert_eq!(scope("fe80::1%4711"), Some(4711));
        assert_eq!(scope("fe80::1%no-such-if"), None);
    }
}
