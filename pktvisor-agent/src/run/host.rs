//! HOST of a capture file: found by `--host-auto`, or suggested.

use anyhow::bail;
use capture_file::{ByteOrder, Capture};
use ipnet::IpNet;
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::{Endian, Filter};
use pktvisor_common::classify::{Class, DnsPorts, classify};

use crate::agent::Agent;
use crate::cli::{Options, Target};
use crate::likely_host::{AnswerCounts, host_list};
use crate::replay;

/// HOST by `--host-auto`: reads the capture once for that.
///
/// # Errors
///
/// The capture cannot be read twice, or not at all, or the filter does not compile for it.
pub(super) fn likely_hosts(
    options: &Options,
    agent: &Agent,
    open: impl FnOnce(&Options) -> anyhow::Result<Capture>,
) -> anyhow::Result<HostSet> {
    let is_regular = match &options.target {
        Target::File(path) => std::fs::metadata(path).map_or(true, |metadata| metadata.is_file()),
        _ => false,
    };
    if !is_regular {
        bail!(
            "--host-auto reads a capture twice, which a pipe does not allow: save the capture to a file, or give -H"
        );
    }
    let networks = scan(&mut open(options)?, options.file_filter(), &options.dns_ports)?;
    let addresses: Vec<_> = networks.iter().map(IpNet::addr).collect();
    let note = match addresses.as_slice() {
        [] => "--host-auto found no address that answers DNS, so every direction is unknown".to_owned(),
        addresses => format!("HOST is {} by --host-auto", host_list(addresses)),
    };
    tracing::info!("{note}");
    agent.status.add_note(note);
    Ok(networks.into_iter().collect())
}

/// Suggests the `-H` of a capture that was read without one.
pub(super) fn suggest(agent: &Agent) {
    let likely = agent.status.snapshot().capture.likely_host;
    if likely.is_empty() {
        return;
    }
    let list = likely.join(",");
    tracing::info!(
        "without -H every direction is unknown; HOST is likely what answers DNS most: give -H {list}, or --host-auto"
    );
}

/// Reads a capture and returns the addresses that are likely HOST, as networks. Damage ends the
/// reading; the replay reports it.
///
/// # Errors
///
/// The filter does not compile for the capture.
fn scan(
    capture: &mut Capture,
    mut filter: Option<Filter>,
    dns_ports: &DnsPorts,
) -> anyhow::Result<Vec<IpNet>> {
    let mut counts = AnswerCounts::default();
    while let Ok(Some(read)) = capture.next_packet() {
        let order = read.byte_order;
        let packet = replay::packet(read);
        if let Some(filter) = &mut filter {
            filter.set_endian(match order {
                ByteOrder::Little => Endian::Little,
                ByteOrder::Big => Endian::Big,
            });
            if !filter.passes(&packet)? {
                continue;
            }
        }
        let mut class = Class::default();
        classify(packet.data, packet.link_type, dns_ports, &mut class);
        counts.add(&class, dns_ports);
    }
    Ok(counts.likely_host().into_iter().map(IpNet::from).collect())
}
