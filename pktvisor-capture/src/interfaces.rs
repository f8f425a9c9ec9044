//! The interfaces of this machine.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index, the kernel's own name for it.
    pub index: u32,
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it has a carrier too: the cable is plugged in, the other end is up (IFF_RUNNING of
    /// netdevice(7)).
    pub has_carrier: bool,
    /// The kind of link.
    pub hardware: Hardware,
    /// The addresses it owns.
    pub addresses: Vec<IpAddr>,
}

/// A link's kind, as far as it matters for its packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hardware {
    /// Packets have an Ethernet header.
    #[default]
    Ethernet,
    /// Packets have an Ethernet header, and the interface receives every packet that it sends.
    Loopback,
    /// Packets begin with the IP header (tun, WireGuard, PPP).
    Ip,
    /// Anything else, by its number (`ARPHRD_...` of linux/if_arp.h).
    Other(u16),
}

/// Of linux/if_arp.h, not in the libc crate.
const ARPHRD_RAWIP: u16 = 519;

impl Hardware {
    fn of(arphrd: u16) -> Self {
        match arphrd {
            libc::ARPHRD_ETHER => Self::Ethernet,
            libc::ARPHRD_LOOPBACK => Self::Loopback,
            libc::ARPHRD_NONE
            | ARPHRD_RAWIP
            | libc::ARPHRD_PPP
            | libc::ARPHRD_TUNNEL
            | libc::ARPHRD_TUNNEL6
            | libc::ARPHRD_SIT
            | libc::ARPHRD_IPGRE => Self::Ip,
            other => Self::Other(other),
        }
    }
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
        // One entry an address, and one (packet) for the interface itself, so that those without
        // address are there.
        for entry in getifaddrs()? {
            let interface: &mut Interface = interfaces.entry(entry.interface_name.clone()).or_default();
            interface.name = entry.interface_name;
            interface.is_up |= entry.flags.contains(InterfaceFlags::IFF_UP);
            interface.has_carrier |= entry.flags.contains(InterfaceFlags::IFF_RUNNING);
            let Some(address) = entry.address else { continue };
            if let Some(link) = address.as_link_addr() {
                interface.index = u32::try_from(link.ifindex()).unwrap_or(0);
                interface.hardware = Hardware::of(link.hatype());
            }
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
            let v6 = || address.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip()));
            interface.addresses.extend(v4.or_else(v6));
        }
        for interface in interfaces.values_mut().filter(|interface| interface.index == 0) {
            // Removed during the call: report it as down.
            match link_of(&interface.name) {
                Ok((index, hardware)) => (interface.index, interface.hardware) = (index, hardware),
                Err(_) => (interface.is_up, interface.has_carrier) = (false, false),
            }
        }
        Ok(interfaces.into_values().collect())
    }
}

/// Index and kind of an interface without a hardware address, for which getifaddrs(3) leaves them
/// out (tun): see netdevice(7).
fn link_of(name: &str) -> io::Result<(u32, Hardware)> {
    let index = if_nametoindex(name)?;
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: a struct of integers, for which all zeros is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero.
    for (to, from) in request.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name.as_bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: the request reads a name from an ifreq and writes an address to it; it lives through
    // the call.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) };
    if status < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: this member is what the request has written.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr };
    Ok((index, Hardware::of(address.sa_family)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_listed_with_its_address() {
        let interfaces = SystemInterfaces.list().unwrap();
        let loopback = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(loopback.is_up && loopback.has_carrier && loopback.index > 0);
        assert_eq!(loopback.hardware, Hardware::Loopback);
        assert!(loopback.addresses.contains(&"127.0.0.1".parse().unwrap()));
    }
}
