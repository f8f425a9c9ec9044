//! Resolves the name of an agent like the system does, but for localhost, and adds the zone of a
//! link-local address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

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
        if let Some(addresses) = loopback(uri) {
            let mut both = self.empty();
            addresses.into_iter().for_each(|address| both.push(address));
            return Ok(both);
        }
        let addresses = self.system.resolve(uri, config, timeout)?;
        let Some(zone) = &self.zone else { return Ok(addresses) };
        let mut zoned = self.empty();
        for address in addresses.iter() {
            zoned.push(within(*address, zone).ok_or(ureq::Error::HostNotFound)?);
        }
        Ok(zoned)
    }
}

/// Where localhost is, without asking a resolver (RFC 6761 section 6.3): a minimal container or root
/// has no /etc/hosts.
fn loopback(uri: &Uri) -> Option<[SocketAddr; 2]> {
    let port = uri.port_u16()?;
    let is_localhost = uri.host()?.eq_ignore_ascii_case("localhost");
    let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    is_localhost.then(|| addresses.map(|address| SocketAddr::new(address, port)))
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
    fn localhost_needs_no_resolver() {
        let addresses = |uri: &str| loopback(&uri.parse().expect(uri));
        let both = ["127.0.0.1:10853", "[::1]:10853"].map(|address| address.parse().expect("an address"));
        assert_eq!(addresses("http://LocalHost:10853/metrics"), Some(both));
        assert_eq!(addresses("http://localhost.example:10853/"), None);
        assert_eq!(addresses("http://127.0.0.1:10853/"), None);
    }

    #[test]
    fn a_zone_is_the_number_of_its_interface() {
        // The loopback interface is there everywhere, and the first one of its namespace.
        assert_eq!(scope("fe80::1%lo"), Some(1));
        assert_eq!(scope("fe80::1%4711"), Some(4711));
        assert_eq!(scope("fe80::1%no-such-if"), None);
    }
}
