//! Which DNS flows deep analysis takes. A hash of the flow decides, so no state is needed, and
//! kernel, file replay and every thread decide the same.

use crate::classify::{Class, flags};
use crate::hll::finalise;

/// One end of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The [bytes](crate::address::Address::bytes) of its address.
    pub address: &'a [u8; 16],
    /// Host byte order.
    pub port: u16,
}

impl Endpoint<'_> {
    #[inline(always)]
    fn hash(self) -> u64 {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *self.address;
        let high = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let low = u64::from_le_bytes([i, j, k, l, m, n, o, p]);
        finalise(finalise(high ^ (u64::from(self.port) << 48)).wrapping_add(low) ^ u64::from(self.port))
    }
}

/// A hash of a conversation, the same for both directions, with the DNS id for UDP (a resolver's
/// port 53 to port 53 traffic is one flow) and 0 for TCP, so that a query and its response are
/// sampled together.
#[inline(always)]
pub fn flow_hash(a: Endpoint<'_>, b: Endpoint<'_>, protocol: u8, dns_id: u16) -> u64 {
    let ends = a.hash().wrapping_add(b.hash());
    finalise(ends ^ (u64::from(protocol) << 16 | u64::from(dns_id)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The [`flow_hash`] of a packet.
#[inline(always)]
pub fn packet_hash(class: &Class) -> u64 {
    let dns_id = if class.has(flags::DNS_UDP) { class.dns_id } else { 0 };
    flow_hash(
        Endpoint { address: &class.source, port: class.source_port },
        Endpoint { address: &class.destination, port: class.destination_port },
        class.protocol,
        dns_id,
    )
}

/// Whether a packet goes to reassembly before its flow is sampled: DNS in TCP and in fragments.
/// First fragments of other datagrams show which later ones need not be kept.
#[inline(always)]
pub const fn needs_reassembly(class: &Class) -> bool {
    class.has(flags::DNS_TCP) || class.is_fragment_of_use()
}

/// The share of flows that is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct SampleRate {
    /// Of 2^32.
    threshold: u64,
}

impl SampleRate {
    /// Every flow.
    pub const ALL: Self = Self::percent(100);

    /// 0 samples no flow, 100 (and more) every flow, both exactly.
    pub const fn percent(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent as u64 };
        Self { threshold: (percent << 32) / 100 }
    }

    /// A part of one; below 0 is nothing, above 1 everything.
    #[cfg(not(target_arch = "bpf"))]
    pub fn fraction(part: f64) -> Self {
        Self { threshold: (part.clamp(0.0, 1.0) * (1u64 << 32) as f64) as u64 }
    }

    /// Whether it samples no flow at all.
    pub const fn is_none(self) -> bool {
        self.threshold == 0
    }

    /// Whether the flow of a packet is sampled. Hashes it only if needed.
    #[inline(always)]
    pub fn samples_packet(self, class: &Class) -> bool {
        match self.threshold {
            0 => false,
            threshold if threshold > u64::from(u32::MAX) => true,
            _ => self.samples(packet_hash(class)),
        }
    }

    /// Whether a flow is sampled, by its hash. A flow that is sampled at one rate is also sampled
    /// at any higher rate.
    #[inline(always)]
    pub const fn samples(self, flow_hash: u64) -> bool {
        flow_hash >> 32 < self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::IpVersion;
    use crate::classify::protocol;

    fn packet(i: u32) -> Class {
        let mut class = Class {
            flags: flags::DNS_UDP,
            ip_version: Some(IpVersion::V4),
            protocol: protocol::UDP,
            source_port: 1024 + (i % 7) as u16,
            destination_port: 53,
            dns_id: (i / 3) as u16,
            ..Class::default()
        };
        class.source[..4].copy_from_slice(&(0x0a00_0000 + i).to_be_bytes());
        class.destination[..4].copy_from_slice(&[192, 0, 2, 53]);
        class
    }

    fn reversed(class: &Class) -> Class {
        Class {
            source: class.destination,
            destination: class.source,
            source_port: class.destination_port,
            destination_port: class.source_port,
            ..*class
        }
    }

    #[test]
    fn a_query_and_its_response_are_sampled_together() {
        for i in 0..10_000 {
            assert_eq!(packet_hash(&packet(i)), packet_hash(&reversed(&packet(i))));
        }
    }

    #[test]
    fn every_rate_samples_its_share_of_flows_that_differ_little() {
        const FLOWS: u32 = 100_000;
        for percent in [1, 10, 50, 90] {
            let rate = SampleRate::percent(percent);
            let sampled = (0..FLOWS).filter(|&i| rate.samples(packet_hash(&packet(i)))).count() as f64;
            let p = f64::from(percent) / 100.0;
            let expected = f64::from(FLOWS) * p;
            // Four standard deviations of a fair choice.
            let tolerance = 4.0 * (f64::from(FLOWS) * p * (1.0 - p)).sqrt();
            assert!((sampled - expected).abs() < tolerance, "{percent} %: {sampled} of {FLOWS}");
        }
    }

    #[test]
    fn hashes_spread_evenly_whichever_single_part_of_the_flow_varies() {
        let base = packet(0);
        type Vary = fn(&mut Class, u16);
        let varied: [(&str, Vary); 5] = [
            ("id", |c, i| c.dns_id = i),
            ("port", |c, i| c.source_port = i),
            ("IPv4 address", |c, i| c.source[2..4].copy_from_slice(&i.to_be_bytes())),
            ("IPv6 subnet", |c, i| c.source[6..8].copy_from_slice(&i.to_be_bytes())),
            ("IPv6 host", |c, i| c.source[14..16].copy_from_slice(&i.to_be_bytes())),
        ];
        for (what, vary) in varied {
            let mut bins = [0u32; 256];
            for i in 0..u16::MAX {
                let mut class = base;
                vary(&mut class, i);
                bins[(packet_hash(&class) >> 56) as usize] += 1;
            }
            let expected = f64::from(u16::MAX) / 256.0;
            let chi_square: f64 = bins.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
            // 255 degrees of freedom: mean 255, standard deviation 22.6; this is 5 of them.
            assert!(chi_square < 368.0, "{what}: {chi_square}");
        }
    }

    #[test]
    fn equal_ends_do_not_cancel_out() {
        let address = [7; 16];
        let end = |port| Endpoint { address: &address, port };
        assert_ne!(flow_hash(end(53), end(53), 17, 1), flow_hash(end(54), end(54), 17, 1));
        assert_ne!(flow_hash(end(53), end(54), 17, 1), flow_hash(end(53), end(54), 6, 1));
    }

    #[test]
    fn rate_0_samples_nothing_and_rate_100_everything() {
        for hash in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!SampleRate::percent(0).samples(hash));
            assert!(SampleRate::percent(100).samples(hash));
            assert!(SampleRate::percent(255).samples(hash));
        }
        assert_eq!(SampleRate::fraction(0.5), SampleRate::percent(50));
        assert_eq!(
            (SampleRate::fraction(-1.0), SampleRate::fraction(2.0)),
            (SampleRate::percent(0), SampleRate::ALL)
        );
        for i in 0..1000 {
            assert!(!SampleRate::percent(0).samples_packet(&packet(i)));
            assert!(SampleRate::percent(100).samples_packet(&packet(i)));
            let half = SampleRate::percent(50);
            assert_eq!(half.samples_packet(&packet(i)), half.samples(packet_hash(&packet(i))));
        }
        assert!(SampleRate::percent(0).is_none() && !SampleRate::percent(1).is_none());
        assert!(SampleRate::percent(99).samples(0) && !SampleRate::percent(99).samples(u64::MAX));
    }
}
