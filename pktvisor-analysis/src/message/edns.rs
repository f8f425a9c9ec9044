//! EDNS(0): the OPT record (RFC 6891), and of its options the client subnet (RFC 7871), the cookie
//! (RFC 7873) and the extended DNS error (RFC 8914).

use std::net::IpAddr;

use domain::base::iana::OptionCode;

use pktvisor_common::address::{Address, IpVersion};

/// Option header: code and length, RFC 6891 section 6.1.2.
const OPTION_HEADER_BYTES: usize = 4;

/// DO, the highest of the 16 flag bits (RFC 3225, RFC 6891 section 6.1.4).
const DNSSEC_OK: u32 = 1 << 15;

/// The OPT record of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The upper 8 of the 12 bits of the response code.
    pub extended_rcode: u8,
    /// EDNS version; 0 is the only one there is.
    pub version: u8,
    /// DO bit: the sender wants DNSSEC records.
    pub dnssec_ok: bool,
    /// The largest UDP payload the sender can take, in bytes.
    pub udp_payload_bytes: u16,
    /// The client subnet option, the first one if there are several.
    pub client_subnet: Option<ClientSubnet>,
    /// A cookie (RFC 7873).
    pub has_cookie: bool,
    /// The INFO-CODE of the extended DNS error (RFC 8914), of the first one if there are several.
    pub extended_error: Option<u16>,
}

/// EDNS client subnet, RFC 7871 section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    /// Address family as IANA numbers it: 1 is IPv4, 2 is IPv6.
    pub family: u16,
    /// SOURCE PREFIX-LENGTH in bits.
    pub source_prefix_bits: u8,
    /// SCOPE PREFIX-LENGTH in bits, 0 in queries.
    pub scope_prefix_bits: u8,
    /// The prefix as in [`Flow`](crate::Flow); zero behind its source length and in other families.
    pub address: [u8; 16],
}

impl Edns {
    /// Reads an OPT record; false when an option reaches beyond the record or is no valid client
    /// subnet.
    #[inline]
    pub(super) fn read(class: u16, ttl: u32, rdata: &[u8]) -> (Self, bool) {
        let [extended_rcode, version, ..] = ttl.to_be_bytes();
        let mut edns = Self {
            extended_rcode,
            version,
            dnssec_ok: ttl & DNSSEC_OK != 0,
            udp_payload_bytes: class,
            client_subnet: None,
            has_cookie: false,
            extended_error: None,
        };
        let well_formed = edns.read_options(rdata).is_some();
        (edns, well_formed)
    }

    #[inline]
    fn read_options(&mut self, mut rdata: &[u8]) -> Option<()> {
        while !rdata.is_empty() {
            let &[code_high, code_low, len_high, len_low] = rdata.first_chunk()?;
            let len = usize::from(u16::from_be_bytes([len_high, len_low]));
            let (data, rest) = rdata.get(OPTION_HEADER_BYTES..)?.split_at_checked(len)?;
            let code = u16::from_be_bytes([code_high, code_low]);
            match OptionCode::from_int(code) {
                OptionCode::CLIENT_SUBNET if self.client_subnet.is_none() => {
                    self.client_subnet = Some(ClientSubnet::read(data)?);
                }
                OptionCode::COOKIE => self.has_cookie = true,
                // An option without its code says nothing, and later ones still count.
                OptionCode::EXTENDED_ERROR if self.extended_error.is_none() => {
                    self.extended_error = data.first_chunk().map(|code| u16::from_be_bytes(*code));
                }
                _ => {}
            }
            rdata = rest;
        }
        Some(())
    }
}

impl ClientSubnet {
    /// The octets of the address that its prefix covers, of IPv4 and IPv6.
    pub fn octets(&self) -> &[u8] {
        self.address.get(..usize::from(self.source_prefix_bits).div_ceil(8)).unwrap_or_default()
    }

    /// The prefix as an address; none in a family other than IPv4 and IPv6.
    pub fn ip_address(&self) -> Option<IpAddr> {
        match self.family {
            1 => Some(Address::new(IpVersion::V4, &self.address).into()),
            2 => Some(Address::new(IpVersion::V6, &self.address).into()),
            _ => None,
        }
    }

    /// None when a prefix is longer than an address of its family, or the address is shorter than
    /// its prefix. An address that is longer than it should be, or has bits behind its prefix, is
    /// cut to the prefix: no harm done.
    fn read(data: &[u8]) -> Option<Self> {
        let (&[family_high, family_low, source_prefix_bits, scope_prefix_bits], octets) =
            data.split_first_chunk()?;
        let family = u16::from_be_bytes([family_high, family_low]);
        let mut address = [0; 16];
        let bits_max = match family {
            1 => 32,
            2 => 128,
            _ => return Some(Self { family, source_prefix_bits, scope_prefix_bits, address }),
        };
        if source_prefix_bits > bits_max || scope_prefix_bits > bits_max {
            return None;
        }
        let len = usize::from(source_prefix_bits).div_ceil(8);
        let prefix = address.get_mut(..len)?;
        prefix.copy_from_slice(octets.get(..len)?);
        if let Some(last) = prefix.last_mut() {
            *last &= 0xff << ((8 - source_prefix_bits % 8) % 8);
        }
        Some(Self { family, source_prefix_bits, scope_prefix_bits, address })
    }
}
