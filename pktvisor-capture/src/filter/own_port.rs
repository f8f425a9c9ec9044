//! Leaves the traffic of the agent's own web server out: a clause in front of the operator's
//! expression.
//!
//! It stands in front because `vlan` and `mpls` in an expression shift all offsets behind them
//! (pcap-filter(7)). `tcp port` does not look behind a VLAN tag, which `any` sees on the interface
//! below a VLAN's, so tagged frames are compared byte by byte.

use pktvisor_common::classify::LinkType;

/// The operator's expression, without packets of this TCP port.
pub(super) fn without_tcp_port(expression: &str, port: u16, link_type: LinkType) -> String {
    let mut text = format!("not tcp port {port}");
    if link_type == LinkType::ETHERNET {
        text = format!("{text} and not ({})", tagged(port));
    }
    match expression.trim().is_empty() {
        true => text,
        false => format!("{text} and ({expression})"),
    }
}

/// A TCP segment of the port in an Ethernet frame with one VLAN tag (802.1Q, 802.1ad).
fn tagged(port: u16) -> String {
    // Behind the tag: of IPv4 a first fragment, of IPv6 no extension headers, as `tcp port` has it.
    let v4_ports = "18 + ((ether[18] & 15) << 2)";
    let v4 = format!(
        "ether[16:2] = 0x0800 and ether[27] = 6 and ether[24:2] & 0x1fff = 0 and \
         (ether[{v4_ports}:2] = {port} or ether[2 + {v4_ports}:2] = {port})"
    );
    let v6 =
        format!("ether[16:2] = 0x86dd and ether[24] = 6 and (ether[58:2] = {port} or ether[60:2] = {port})");
    format!("(ether[12:2] = 0x8100 or ether[12:2] = 0x88a8) and (({v4}) or ({v6}))")
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::*;

    #[test]
    fn the_clause_compiles_alone_and_before_whatever_else_is_asked_for() {
        let ethernet = [None, Some("udp port 53"), Some("vlan 7 and udp"), Some("arp or ip6"), Some("  ")];
        for expression in ethernet {
            Filter::without_tcp_port(expression, 10853).check_for(LinkType::ETHERNET).unwrap();
        }
        // Where there is no VLAN.
        for expression in [None, Some("udp port 53 or icmp")] {
            Filter::without_tcp_port(expression, 10853).check_for(LinkType::RAW).unwrap();
        }
    }

    #[test]
    fn an_expression_with_or_is_bound_by_the_clause_as_a_whole() {
        let text = without_tcp_port("udp or tcp", 8080, LinkType::RAW);
        assert_eq!(text, "not tcp port 8080 and (udp or tcp)");
    }
}
