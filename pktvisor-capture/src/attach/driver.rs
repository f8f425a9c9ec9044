//! The driver of an interface, by the request ETHTOOL_GDRVINFO of linux/ethtool.h.

use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

const ETHTOOL_GDRVINFO: u32 = 3;

/// `struct ethtool_drvinfo`, of which only the driver's name matters here.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    others: [u8; 160],
}

/// The name of the interface's driver; `None` if it has none to tell, as some virtual interfaces.
/// Needs no privilege.
pub(super) fn driver_name(interface: &str) -> Option<String> {
    let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok()?;
    let mut info = DriverInfo { command: ETHTOOL_GDRVINFO, driver: [0; 32], others: [0; 160] };
    // SAFETY: a struct of integers, for which all zeros is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero.
    for (to, from) in request.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(interface.as_bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_data = (&raw mut info).cast();
    // SAFETY: the request reads a name and a pointer from an ifreq, and a command from where that
    // points; it writes a `struct ethtool_drvinfo` there, which is as long as `DriverInfo`. Both
    // live through the call.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    if status < 0 {
        return None;
    }
    let name = info.driver.split(|byte| *byte == 0).next()?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_without_driver_has_no_name_of_one() {
        assert_eq!(size_of::<DriverInfo>(), 196, "struct ethtool_drvinfo");
        assert_eq!(driver_name("no such thing"), None);
    }
}
