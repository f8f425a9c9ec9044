//! tc programs on kernels before 6.6: filters of a `clsact` queueing discipline, which outlive the
//! process that attached them.
//!
//! A tcx link goes with its process; a filter stays until it is removed. So filters carry a name of
//! their process, and that process holds the name as an abstract Unix socket, which the kernel
//! frees when the process ends in any way. Such sockets belong to the network namespace, as
//! interfaces do: a name without a holder was left by a killed process, and the next agent on the
//! interface removes its filters.
//!
//! Everything here needs CAP_NET_ADMIN, also at the end.

mod message;
mod netlink;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use message::TcFilter;
use netlink::Netlink;
use pktvisor_common::direction::LinkDirection;

const DIRECTIONS: [LinkDirection; 2] = [LinkDirection::Ingress, LinkDirection::Egress];

/// All our filters have names with this prefix.
const NAME_PREFIX: &str = "pktvisord-";

/// The `clsact` of an interface, with our filters in it. Dropping it removes them, and the queueing
/// discipline if it is ours and empty.
#[derive(Debug)]
pub(crate) struct Clsact {
    netlink: Netlink,
    interface_index: u32,
    name: HolderName,
    /// Whether to remove the queueing discipline.
    owned: bool,
    leftovers: usize,
}

impl Clsact {
    /// Prepares an interface: removes filters that killed agents left there, and makes the queueing
    /// discipline if there is none.
    ///
    /// # Errors
    ///
    /// EPERM: CAP_NET_ADMIN is missing. ENODEV: no such interface. ENOENT or EOPNOTSUPP: the kernel
    /// has no `clsact` (`CONFIG_NET_SCH_INGRESS`) or no `cls_bpf`.
    pub(crate) fn on(interface_index: u32) -> io::Result<Self> {
        let netlink = Netlink::open()?;
        let name = HolderName::hold()?;
        let made = match netlink.request(message::make_qdisc(interface_index)) {
            Ok(_) => true,
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => false,
            Err(error) => return Err(error),
        };
        let mut clsact = Self { netlink, interface_index, name, owned: made, leftovers: 0 };
        if !made {
            clsact.remove_leftovers()?;
        }
        Ok(clsact)
    }

    /// How many filters of killed agents were there.
    #[cfg(test)]
    pub(crate) fn leftovers(&self) -> usize {
        self.leftovers
    }

    /// Lets a tc program see packets, in the order of attaching.
    ///
    /// # Errors
    ///
    /// EINVAL: not a tc program.
    pub(crate) fn attach(&self, direction: LinkDirection, program: BorrowedFd<'_>) -> io::Result<()> {
        let add = message::add_filter(
            self.interface_index,
            direction,
            program.as_raw_fd().cast_unsigned(),
            &self.name.text,
        );
        self.netlink.request(add).map(drop)
    }

    /// Leaves everything behind, as a killed process does.
    #[cfg(test)]
    pub(crate) fn abandon(mut self) {
        // Nothing has this name, so there is nothing to remove; the old one is held no more.
        if let Ok(other) = HolderName::hold() {
            (self.name, self.owned) = (other, false);
        }
    }

    fn remove_leftovers(&mut self) -> io::Result<()> {
        for direction in DIRECTIONS {
            for filter in self.filters(direction)? {
                // Our own name is new, so a filter that has it was left by an earlier process with
                // our number.
                if filter.name == self.name.text || HolderName::is_abandoned(&filter.name) {
                    self.netlink.request(message::remove_filter(self.interface_index, direction, &filter))?;
                    self.leftovers += 1;
                }
            }
        }
        // Without any filter it serves nobody: it was theirs and is ours now.
        self.owned = self.leftovers > 0 && self.is_empty()?;
        Ok(())
    }

    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.filters(LinkDirection::Ingress)?.is_empty()
            && self.filters(LinkDirection::Egress)?.is_empty())
    }

    fn filters(&self, direction: LinkDirection) -> io::Result<Vec<TcFilter>> {
        let answers = self.netlink.request(message::list_filters(self.interface_index, direction))?;
        Ok(answers.iter().filter_map(|answer| TcFilter::parse(answer)).collect())
    }

    fn remove(&self) -> io::Result<()> {
        for direction in DIRECTIONS {
            for filter in self.filters(direction)? {
                if filter.name == self.name.text {
                    self.netlink.request(message::remove_filter(self.interface_index, direction, &filter))?;
                }
            }
        }
        if self.owned && self.is_empty()? {
            self.netlink.request(message::remove_qdisc(self.interface_index))?;
        }
        Ok(())
    }
}

impl Drop for Clsact {
    fn drop(&mut self) {
        match self.remove() {
            Err(error) if error.raw_os_error() != Some(libc::ENODEV) => {
                tracing::warn!(
                    "cannot remove tc filters from interface {}: {error}; the next start does",
                    self.interface_index
                );
            }
            _ => {}
        }
    }
}

/// The name of one holder's filters.
#[derive(Debug)]
struct HolderName {
    text: String,
    _held: UnixDatagram,
}

impl HolderName {
    /// Takes a name that nobody holds.
    fn hold() -> io::Result<Self> {
        let pid = std::process::id();
        for number in 0..=u16::MAX {
            let text = format!("{NAME_PREFIX}{pid}-{number}");
            match UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&text)?) {
                Ok(held) => return Ok(Self { text, _held: held }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AddrInUse))
    }

    /// Whether a filter is one of ours and nobody holds its name.
    fn is_abandoned(text: &str) -> bool {
        let bind = |text: &str| UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(text)?);
        text.starts_with(NAME_PREFIX) && bind(text).is_ok()
    }
}
