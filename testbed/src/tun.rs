//! A tun device: a link without a link-layer header, whose far end is the test.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;

use crate::{Namespace, tool};

/// A tun interface, removed when dropped.
#[derive(Debug)]
pub struct Tun(File);

impl Tun {
    /// Creates an interface of this name in the namespace, adds the address ("10.99.0.1/24") and
    /// brings it up.
    ///
    /// # Panics
    /// There is no /dev/net/tun, or `ip` fails.
    pub fn new(namespace: &Namespace, name: &str, address: &str) -> Self {
        let tun = Self(tool::must(namespace.run(|| open(name))));
        namespace.ip(&["link", "set", name, "addrgenmode", "none"]);
        namespace.ip(&["address", "add", address, "dev", name]);
        namespace.ip(&["link", "set", name, "up"]);
        tun
    }

    /// Lets this IP packet arrive on the interface.
    ///
    /// # Panics
    /// The kernel refuses it.
    pub fn inject(&self, packet: &[u8]) {
        tool::must((&self.0).write_all(packet));
    }
}

fn open(name: &str) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: a struct of integers, for which all zeros is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero.
    let room = &mut request.ifr_name[..libc::IFNAMSIZ - 1];
    for (to, from) in room.iter_mut().zip(name.as_bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes an ifreq, which lives through the call.
    let status = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as libc::Ioctl, &raw mut request) };
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(file) }
}
