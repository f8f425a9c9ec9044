//! What this machine can capture from.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether it is up.
    pub is_up: bool,
    /// The addresses it owns.
    pub addresses: Vec<IpAddr>,
}

/// Knows the interfaces there are.
pub trait Interfaces {
    /// All of them, by name.
    fn list(&self) -> io::Result<Vec<Interface>>;
}

/// The interfaces of this machine (of this network namespace).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemInterfaces;

impl Interfaces for SystemInterfaces {
    fn list(&self) -> io::Result<Vec<Interface>> {
        let mut interfaces = BTreeMap::new();
        // One entry an address, and one (packet) for the interface itself, so that those without address are there.
        for entry in getifaddrs()? {
            let interface: &mut Interface = interfaces.entry(entry.interface_name.clone()).or_default();
            interface.name = entry.interface_name;
            interface.is_up |= entry.flags.contains(InterfaceFlags::IFF_UP);
            let Some(address) = entry.address else { continue };
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
            let v6 = || address.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip()));
            interface.addresses.extend(v4.or_else(v6));
        }
        Ok(interfaces.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_listed_with_its_address() {
        let interfaces = SystemInterfaces.list().unwrap();
        let loopback = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(loopback.is_up);
        assert!(loopback.addresses.contains(&"127.0.0.1".parse().unwrap()));
    }
}
