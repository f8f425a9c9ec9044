//! How single values are read.

use std::net::IpAddr;

use ipnet::IpNet;
use pktvisor_common::classify::{DnsPorts, DnsPortsError};

/// Periods that can be kept: a day of minutes.
const PERIODS_MAX: usize = 1440;

/// A parsed HOSTSPEC.
pub(super) type HostSpec = std::sync::Arc<[IpNet]>;

/// A part of HOSTSPEC that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{part:?} is no network: write CIDRs or addresses, separated by commas, like 192.0.2.0/24,2001:db8::1"
)]
pub struct HostSpecError {
    part: String,
}

/// Comma separated CIDRs; a bare address is a network of one.
pub(super) fn host_spec(text: &str) -> Result<HostSpec, HostSpecError> {
    let network = |part: &str| {
        let part = part.trim();
        let address = || part.parse::<IpAddr>().map(IpNet::from);
        part.parse::<IpNet>().or_else(|_| address()).map_err(|_| HostSpecError { part: part.to_owned() })
    };
    text.split(',').map(network).collect()
}

/// A number of periods.
pub(super) fn periods(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(periods @ 1..=PERIODS_MAX) => Ok(periods),
        _ => Err(format!("give a whole number of minutes to keep, from 1 to {PERIODS_MAX}")),
    }
}

/// Any whole number, however large; what it is clamped to is decided where a warning can be given.
pub(super) fn percentage(text: &str) -> Result<i64, &'static str> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) => Ok(number),
        Err(_) if is_number && text.starts_with('-') => Ok(i64::MIN),
        Err(_) if is_number => Ok(i64::MAX),
        Err(_) => Err("give a whole number of percent, from 0 to 100"),
    }
}

/// A part of a list of ports that is no port, or a list that is too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PortListError {
    #[error("{0:?} is no port: write numbers from 1 to 65535, separated by commas, like 53,5353")]
    NoPort(String),
    #[error("{0}")]
    List(DnsPortsError),
}

/// Comma separated ports.
pub(super) fn dns_ports(text: &str) -> Result<DnsPorts, PortListError> {
    let port = |part: &str| {
        let part = part.trim();
        part.parse().map_err(|_| PortListError::NoPort(part.to_owned()))
    };
    let ports: Vec<u16> = text.split(',').map(port).collect::<Result<_, _>>()?;
    DnsPorts::new(&ports).map_err(PortListError::List)
}
