//! The interface to send on: its checks, and the packets that fit.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use capture_file::PacketRef;
use nix::net::if_::if_nametoindex;

use super::error::SendError;
use super::report::Unfit;

/// Link type of Ethernet, <https://www.tcpdump.org/linktypes.html>.
const ETHERNET: u16 = 1;
const ETHERNET_HEADER: usize = 14;
const VLAN_TAG: usize = 4;
/// EtherTypes of a tag, 802.1Q and 802.1ad. The outermost tag does not count against the MTU.
const TAGS: [[u8; 2]; 2] = [[0x81, 0x00], [0x88, 0xa8]];

/// An Ethernet interface that is up.
#[derive(Debug)]
pub(super) struct OutInterface {
    pub(super) name: String,
    pub(super) index: u32,
    /// Longest packet without the Ethernet header, in bytes.
    pub(super) mtu: usize,
}

impl OutInterface {
    pub(super) fn find(name: &str) -> Result<Self, SendError> {
        let unknown = || SendError::NoSuchInterface(name.to_owned());
        let fits = !name.is_empty() && name.len() < libc::IFNAMSIZ;
        let c_name = CString::new(name).ok().filter(|_| fits).ok_or_else(unknown)?;
        let failed = |reason| SendError::Refused { interface: name.to_owned(), reason };
        let socket = any_socket().map_err(failed)?;
        let index = if_nametoindex(c_name.as_c_str()).map_err(|_| unknown())?;
        // SAFETY: SIOCGIFFLAGS writes this member.
        let flags = unsafe { ask(&socket, &c_name, libc::SIOCGIFFLAGS).map_err(failed)?.ifr_ifru.ifru_flags };
        if i32::from(flags) & libc::IFF_UP == 0 {
            return Err(SendError::Down(name.to_owned()));
        }
        // SAFETY: SIOCGIFHWADDR writes this member.
        let kind = unsafe {
            ask(&socket, &c_name, libc::SIOCGIFHWADDR).map_err(failed)?.ifr_ifru.ifru_hwaddr.sa_family
        };
        if ![libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK].contains(&kind) {
            return Err(SendError::NotEthernet(name.to_owned()));
        }
        // SAFETY: SIOCGIFMTU writes this member.
        let mtu = unsafe { ask(&socket, &c_name, libc::SIOCGIFMTU).map_err(failed)?.ifr_ifru.ifru_mtu };
        Ok(Self { name: name.to_owned(), index, mtu: usize::try_from(mtu).unwrap_or(0) })
    }

    /// The longest frame that it takes, in bytes: header and one VLAN tag included.
    pub(super) fn longest_frame(&self) -> usize {
        self.mtu + ETHERNET_HEADER + VLAN_TAG
    }

    /// Whether the packet can be sent as it is.
    #[inline]
    pub(super) fn takes(&self, packet: &PacketRef<'_>) -> Result<(), Unfit> {
        if packet.link_type != ETHERNET {
            return Err(Unfit::NotEthernet);
        }
        let Some(header) = packet.data.first_chunk::<ETHERNET_HEADER>() else {
            return Err(Unfit::TooShort);
        };
        let longest = self.longest_frame();
        let tag = if TAGS.contains(&[header[12], header[13]]) { 0 } else { VLAN_TAG };
        if packet.data.len() + tag > longest { Err(Unfit::TooLong) } else { Ok(()) }
    }

    pub(super) fn refused(&self, reason: io::Error) -> SendError {
        SendError::Refused { interface: self.name.clone(), reason }
    }
}

/// A socket for questions about interfaces.
fn any_socket() -> io::Result<OwnedFd> {
    // SAFETY: socket takes integers.
    let fd = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// netdevice(7): fills in what `request` asks for. `name` is shorter than IFNAMSIZ.
fn ask(socket: &OwnedFd, name: &CString, request: libc::Ioctl) -> io::Result<libc::ifreq> {
    // SAFETY: a struct of integers, for which all zeros is a value.
    let mut answer: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in answer.ifr_name.iter_mut().zip(name.as_bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: the requests used here read the name from an ifreq and write to it; it lives through
    // the call.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), request, &raw mut answer) };
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(mtu: usize, link_type: u16, data: &[u8]) -> Result<(), Unfit> {
        let interface = OutInterface { name: "test".to_owned(), index: 1, mtu };
        let wire_len = data.len() as u32;
        interface.takes(&PacketRef {
            timestamp_ns: 0,
            has_timestamp: true,
            data,
            wire_len,
            link_type,
            interface: 0,
            byte_order: capture_file::ByteOrder::NATIVE,
        })
    }

    #[test]
    fn a_frame_fits_up_to_the_mtu_and_a_tagged_one_has_four_bytes_more() {
        let mut frame = vec![0; 1514];
        assert_eq!(takes(1500, 1, &frame), Ok(()));
        frame.push(0);
        assert_eq!(takes(1500, 1, &frame), Err(Unfit::TooLong));
        frame.resize(1518, 0);
        frame[12..14].copy_from_slice(&[0x81, 0]);
        assert_eq!(takes(1500, 1, &frame), Ok(()));
        frame.push(0);
        assert_eq!(takes(1500, 1, &frame), Err(Unfit::TooLong));
    }

    #[test]
    fn a_packet_without_an_ethernet_header_is_not_sent() {
        assert_eq!(takes(1500, 1, &[0; 13]), Err(Unfit::TooShort));
        assert_eq!(takes(1500, 1, &[]), Err(Unfit::TooShort));
        assert_eq!(takes(1500, 101, &[0x45; 60]), Err(Unfit::NotEthernet));
    }

    #[test]
    fn a_missing_interface_is_named() {
        for name in ["no-such-if", "", "a-name-longer-than-any", "with\0zero"] {
            let error = OutInterface::find(name).unwrap_err();
            assert!(matches!(&error, SendError::NoSuchInterface(named) if named == name), "{error}");
        }
    }
}
