//! Whether the host does not use an interface itself.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use super::error::TapError;

/// Refuses an interface that the host receives by: one with addresses or routes, or that is part of
/// a bridge or bond.
///
/// Link-local addresses and the routes to them do not count: the kernel gives them to every
/// interface that is up.
///
/// # Errors
///
/// [`TapError::InUse`] with the first such thing.
pub fn check_unused(interface: &str, addresses: &[IpAddr]) -> Result<(), TapError> {
    let use_ = addresses
        .iter()
        .find(|address| !is_link_local(address))
        .map(|address| format!("the address {address}"))
        .or_else(|| ipv4_route(interface, &read_net("route")))
        .or_else(|| ipv6_route(interface, &read_net("ipv6_route")))
        .or_else(|| upper(interface));
    match use_ {
        None => Ok(()),
        Some(use_) => Err(TapError::InUse { interface: interface.to_owned(), use_ }),
    }
}

/// How many receive queues the interface has now.
///
/// # Errors
///
/// The kernel does not list them.
pub fn receive_queues(interface: &str) -> Result<u32, TapError> {
    let path = format!("/sys/class/net/{interface}/queues");
    let unknown = |reason| TapError::Unknown { path: path.clone(), reason };
    let mut count = 0;
    for entry in fs::read_dir(&path).map_err(unknown)? {
        count += u32::from(entry.map_err(unknown)?.file_name().as_encoded_bytes().starts_with(b"rx-"));
    }
    Ok(count.max(1))
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// A file about this network namespace; none is an empty one (as without IPv6).
fn read_net(name: &str) -> String {
    fs::read_to_string(Path::new("/proc/thread-self/net").join(name)).unwrap_or_default()
}

/// The first route by the interface in `/proc/net/route`: interface, destination, and more, after a
/// line of titles.
fn ipv4_route(interface: &str, routes: &str) -> Option<String> {
    let mut routes = routes.lines().skip(1).map(str::split_whitespace);
    let destination = routes.find_map(|mut route| {
        (route.next()? == interface).then(|| u32::from_str_radix(route.next()?, 16).ok()).flatten()
    })?;
    // In network byte order, printed as a number of this machine.
    let destination = IpAddr::from(destination.to_ne_bytes());
    Some(match destination.is_unspecified() {
        true => "the default route".to_owned(),
        false => format!("a route to {destination}"),
    })
}

/// The first route by the interface in `/proc/net/ipv6_route`: destination, prefix length, and more;
/// the interface stands last.
fn ipv6_route(interface: &str, routes: &str) -> Option<String> {
    let routes = routes.lines().filter(|line| line.split_whitespace().last() == Some(interface));
    let destinations =
        routes.filter_map(|line| u128::from_str_radix(line.split_whitespace().next()?, 16).ok());
    let destination = destinations
        .map(std::net::Ipv6Addr::from_bits)
        .find(|destination| !destination.is_unicast_link_local() && !destination.is_multicast())?;
    Some(match destination.is_unspecified() {
        true => "the default route of IPv6".to_owned(),
        false => format!("a route to {destination}"),
    })
}

/// The bridge or bond that the interface is a part of.
fn upper(interface: &str) -> Option<String> {
    let master = fs::read_link(format!("/sys/class/net/{interface}/master")).ok()?;
    Some(format!("{} on top of it", master.file_name()?.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IPV4: &str = "Iface\tDestination\tGateway\tFlags\n\
        eth0\t00000000\t010200C0\t0003\n\
        eth1\t000200C0\t00000000\t0001\n";

    const IPV6: &str = "fe800000000000000000000000000000 40 00 00 0 00000100 00000001 00000000 00000001 eth1\n\
        ff000000000000000000000000000000 08 00 00 0 00000100 00000001 00000000 00000001 eth1\n\
        20010db8000000000000000000000000 40 00 00 0 00000100 00000001 00000000 00000001 eth2\n\
        00000000000000000000000000000000 00 00 00 0 00000400 00000001 00000000 00000001 eth3\n";

    #[test]
    fn a_route_is_found_by_its_interface() {
        assert_eq!(ipv4_route("eth0", IPV4).unwrap(), "the default route");
        assert_eq!(ipv4_route("eth1", IPV4).unwrap(), "a route to 192.0.2.0");
        assert_eq!(ipv4_route("eth", IPV4), None);
        assert_eq!(ipv4_route("eth0", ""), None);
    }

    #[test]
    fn routes_that_every_interface_has_do_not_count() {
        assert_eq!(ipv6_route("eth1", IPV6), None);
        assert_eq!(ipv6_route("eth2", IPV6).unwrap(), "a route to 2001:db8::");
        assert_eq!(ipv6_route("eth3", IPV6).unwrap(), "the default route of IPv6");
    }

    #[test]
    fn an_address_refuses_an_interface_and_a_link_local_one_does_not() {
        let error = check_unused("none0", &["192.0.2.1".parse().unwrap()]).unwrap_err();
        assert!(error.to_string().starts_with("none0 has the address 192.0.2.1: "), "{error}");
        assert!(check_unused("none0", &["fe80::1".parse().unwrap()]).is_ok());
    }
}
