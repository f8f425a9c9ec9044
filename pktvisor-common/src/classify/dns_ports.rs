//! The ports on which DNS is spoken.

use core::fmt;

/// One to eight distinct ports, 53 by default. Laid out for a BPF map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct DnsPorts {
    ports: [u16; Self::MAX],
    len: u16,
}

/// Why a list of ports was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsPortsError {
    /// An empty list.
    Empty,
    /// A list of more than [`DnsPorts::MAX`] distinct ports.
    TooMany,
    /// Port 0.
    Zero,
}

impl fmt::Display for DnsPortsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "no DNS port given: give at least one, for example 53"),
            Self::TooMany => write!(f, "too many DNS ports given: give at most {}", DnsPorts::MAX),
            Self::Zero => write!(f, "0 is no DNS port: give ports from 1 to 65535"),
        }
    }
}

impl core::error::Error for DnsPortsError {}

impl DnsPorts {
    /// Most ports there can be: each is compared with every packet's.
    pub const MAX: usize = 8;

    /// Port 53 (RFC 1035 section 4.2).
    pub const DEFAULT: Self = Self { ports: [53, 0, 0, 0, 0, 0, 0, 0], len: 1 };

    /// The ports of `list`, duplicates left out.
    pub fn new(list: &[u16]) -> Result<Self, DnsPortsError> {
        let mut this = Self { ports: [0; Self::MAX], len: 0 };
        for &port in list {
            if port == 0 {
                return Err(DnsPortsError::Zero);
            }
            if this.contains(port) {
                continue;
            }
            *this.ports.get_mut(usize::from(this.len)).ok_or(DnsPortsError::TooMany)? = port;
            this.len += 1;
        }
        if this.len == 0 { Err(DnsPortsError::Empty) } else { Ok(this) }
    }

    /// The ports, in the order given.
    pub fn as_slice(&self) -> &[u16] {
        self.ports.get(..usize::from(self.len)).unwrap_or(&self.ports)
    }

    /// Whether DNS is spoken on `port`.
    #[inline(always)]
    pub fn contains(&self, port: u16) -> bool {
        self.either(port, port)
    }

    /// Whether DNS is spoken on either port.
    #[inline(always)]
    pub fn either(&self, a: u16, b: u16) -> bool {
        // Before the loop, because nearly all DNS is on the first port.
        if self.ports[0] == a || self.ports[0] == b {
            return true;
        }
        let mut i = 1;
        while i < Self::MAX && i < usize::from(self.len) {
            if self.ports[i] == a || self.ports[i] == b {
                return true;
            }
            i += 1;
        }
        false
    }
}

impl Default for DnsPorts {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_is_expected_on_port_53_by_default() {
        let ports = DnsPorts::default();
        assert!(ports.contains(53));
        assert!(!ports.contains(0) && !ports.contains(5353));
        assert!(ports.either(40000, 53) && ports.either(53, 40000) && !ports.either(40000, 54));
        assert_eq!(DnsPorts::new(&[53]), Ok(ports));
    }

    #[test]
    fn up_to_eight_distinct_ports_are_taken() {
        let ports = DnsPorts::new(&[53, 5353, 53, 5355, 1, 2, 3, 4, 65535]).unwrap();
        assert_eq!(ports.as_slice(), [53, 5353, 5355, 1, 2, 3, 4, 65535]);
        assert!(ports.contains(65535) && !ports.contains(5));
        assert_eq!(DnsPorts::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), Err(DnsPortsError::TooMany));
    }

    #[test]
    fn an_empty_list_and_port_0_are_refused() {
        assert_eq!(DnsPorts::new(&[]), Err(DnsPortsError::Empty));
        assert_eq!(DnsPorts::new(&[53, 0]), Err(DnsPortsError::Zero));
    }
}
