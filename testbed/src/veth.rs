//! A veth pair: a cable between two namespaces.

use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Namespace, tool};

/// The settings of a pair; [`Veth::create`] creates it.
#[derive(Debug, Clone)]
pub struct Veth {
    left: VethSide,
    right: VethSide,
    queues: u32,
    mtu: Option<u32>,
    offloads: bool,
}

#[derive(Debug, Clone)]
struct VethSide {
    namespace: Namespace,
    name: String,
    mac: String,
    addresses: Vec<String>,
}

impl Veth {
    /// A pair with one queue at each end, no addresses and no offloads.
    pub fn new(left: &Namespace, right: &Namespace) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let side = |namespace: &Namespace, end: char| VethSide {
            namespace: namespace.clone(),
            name: format!("pkv{number}{end}"),
            mac: format!("02:53:00:00:{:02x}:{:02x}", number % 256, if end == 'a' { 1 } else { 2 }),
            addresses: Vec::new(),
        };
        Self { left: side(left, 'a'), right: side(right, 'b'), queues: 1, mtu: None, offloads: false }
    }

    /// Names of the interfaces, left and right, instead of generated ones; at most 15 bytes.
    #[must_use]
    pub fn names(mut self, left: &str, right: &str) -> Self {
        (self.left.name, self.right.name) = (left.to_owned(), right.to_owned());
        self
    }

    /// Hardware addresses, left and right.
    #[must_use]
    pub fn macs(mut self, left: &str, right: &str) -> Self {
        (self.left.mac, self.right.mac) = (left.to_owned(), right.to_owned());
        self
    }

    /// Receive and transmit queues at each end.
    #[must_use]
    pub fn queues(mut self, queues: u32) -> Self {
        self.queues = queues;
        self
    }

    /// Largest packet without Ethernet header, in bytes.
    #[must_use]
    pub fn mtu(mut self, mtu: u32) -> Self {
        self.mtu = Some(mtu);
        self
    }

    /// Adds an address with prefix length to each end ("10.53.0.1/24"); each end knows the other's
    /// hardware address, so that no ARP and no neighbour discovery appears. (With IPv6 a few
    /// multicast listener reports do.)
    #[must_use]
    pub fn addresses(mut self, left: &str, right: &str) -> Self {
        self.left.addresses.push(left.to_owned());
        self.right.addresses.push(right.to_owned());
        self
    }

    /// Leaves segmentation, receive and checksum offloads on, as the kernel does by default.
    /// Without this, packets look as on a wire, with complete checksums.
    #[must_use]
    pub fn with_offloads(mut self) -> Self {
        self.offloads = true;
        self
    }

    /// Creates the pair and brings both ends up.
    ///
    /// # Panics
    /// `ip` or `ethtool` fails.
    pub fn create(&self) -> VethPair {
        let Self { left, right, queues, .. } = self;
        let queues = queues.to_string();
        let half = |side: &VethSide| -> Vec<String> {
            ["name", &side.name, "netns", side.namespace.name(), "address", &side.mac]
                .into_iter()
                .chain(["numrxqueues", &queues, "numtxqueues", &queues])
                .map(str::to_owned)
                .collect()
        };
        let words = [
            vec!["link".to_owned(), "add".to_owned()],
            half(left),
            vec!["type".to_owned(), "veth".to_owned(), "peer".to_owned()],
            half(right),
        ]
        .concat();
        tool::ip(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let pair = VethPair { left: left.end(), right: right.end() };
        for (side, other) in [(left, right), (right, left)] {
            self.configure(side, other);
        }
        pair
    }

    fn configure(&self, side: &VethSide, other: &VethSide) {
        let end = side.end();
        // No link-local address, which the kernel would announce. The link must exist for this
        // setting.
        side.namespace.ip(&["link", "set", &side.name, "addrgenmode", "none"]);
        if let Some(mtu) = self.mtu {
            side.namespace.ip(&["link", "set", &side.name, "mtu", &mtu.to_string()]);
        }
        if !self.offloads {
            end.ethtool("-K", &["tx", "off", "tso", "off", "gso", "off", "gro", "off"]);
        }
        for address in &side.addresses {
            if address.contains(':') {
                end.set("ipv6/conf", "disable_ipv6", "0");
                side.namespace.ip(&["address", "add", address, "nodad", "dev", &side.name]);
            } else {
                side.namespace.ip(&["address", "add", address, "dev", &side.name]);
            }
        }
        side.namespace.ip(&["link", "set", &side.name, "up"]);
        for address in &other.addresses {
            let neighbour = address.split('/').next().unwrap_or(address);
            let known = ["neighbour", "replace", neighbour, "lladdr", &other.mac, "nud", "permanent"];
            side.namespace.ip(&[&known[..], &["dev", &side.name]].concat());
        }
    }
}

impl VethSide {
    fn end(&self) -> End {
        End { namespace: self.namespace.clone(), name: self.name.clone(), addresses: self.addresses.clone() }
    }
}

/// The two interfaces of a pair; removed when dropped.
#[derive(Debug)]
pub struct VethPair {
    /// The end in the namespace given first.
    pub left: End,
    /// The end in the namespace given second.
    pub right: End,
}

impl Drop for VethPair {
    fn drop(&mut self) {
        // The test may have removed it, and removing one end removes both.
        let _ = tool::try_ip(&["-n", self.left.namespace.name(), "link", "del", &self.left.name]);
    }
}

/// One end of a pair.
#[derive(Debug, Clone)]
pub struct End {
    namespace: Namespace,
    name: String,
    addresses: Vec<String>,
}

/// What the interface has counted: super-packets count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in /sys/class/net/IF/statistics")]
pub struct InterfaceStatistics {
    pub rx_packets: u64,
    pub rx_bytes: u64,
    pub rx_dropped: u64,
    pub tx_packets: u64,
    pub tx_bytes: u64,
    pub tx_dropped: u64,
}

impl End {
    /// Name of the interface.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace it is in.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Its n-th address, without the prefix length.
    ///
    /// # Panics
    /// It has none.
    pub fn address(&self, n: usize) -> IpAddr {
        let text = self.addresses.get(n).map_or("", |address| address.split('/').next().unwrap_or(address));
        text.parse().unwrap_or_else(|_| panic!("{} has no address number {n}: {text:?}", self.name))
    }

    /// `ethtool OPTION INTERFACE WORDS`, such as `("-L", &["rx", "2"])`.
    ///
    /// # Panics
    /// `ethtool` fails.
    pub fn ethtool(&self, option: &str, words: &[&str]) -> String {
        let mut command = self.namespace.command("ethtool");
        tool::must(tool::try_run(command.arg(option).arg(&self.name).args(words)))
    }

    /// Has it take no more from a sender than its far end can take in (Linux 6.16+): without a
    /// queueing discipline, a veth drops what the ring of 256 frames of a far end with native XDP
    /// does not hold.
    ///
    /// # Panics
    /// `tc` fails.
    pub fn hold_back(&self) {
        let mut command = self.namespace.command("tc");
        tool::must(tool::try_run(command.args(["qdisc", "replace", "dev", &self.name, "root", "pfifo"])));
    }

    /// Its counters so far.
    pub fn statistics(&self) -> InterfaceStatistics {
        self.namespace.run(|| {
            let count = |what: &str| {
                let path = format!("/sys/class/net/{}/statistics/{what}", self.name);
                let text = tool::must(fs::read_to_string(&path));
                text.trim().parse().unwrap_or_else(|_| panic!("{path} holds {text:?}"))
            };
            InterfaceStatistics {
                rx_packets: count("rx_packets"),
                rx_bytes: count("rx_bytes"),
                rx_dropped: count("rx_dropped"),
                tx_packets: count("tx_packets"),
                tx_bytes: count("tx_bytes"),
                tx_dropped: count("tx_dropped"),
            }
        })
    }

    /// Sets a variable of `/proc/sys/net/CLASS/INTERFACE`.
    fn set(&self, class: &str, variable: &str, value: &str) {
        let path = format!("/proc/sys/net/{class}/{}/{variable}", self.name);
        tool::must(self.namespace.run(|| fs::write(path, value)));
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
