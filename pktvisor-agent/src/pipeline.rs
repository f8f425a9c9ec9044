//! The steps that every packet passes: filter, clock, classifier, analysis, counters, places.

pub(crate) mod config;

use capture_file::ByteOrder;
use pktvisor_analysis::Analysis;
use pktvisor_analysis::geo::Geo;
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::{Endian, Filter, FilterError};
use pktvisor_common::classify::{Class, DnsPorts, LinkType, UnknownEtherTypes, classify, flags, tcp_flags};
use pktvisor_common::direction::{Direction, direction};
use pktvisor_common::packet::Packet;
use pktvisor_metrics::watch::{AnalysedPacket, WatchingObserver};
use pktvisor_metrics::{Batch, PacketKeys};

use crate::likely_host::AnswerCounts;
use config::PipelineConfig;

/// The steps and their state, for one capture thread.
pub struct Pipeline {
    /// Which packets count.
    pub filter: Option<Filter>,
    /// Ports whose traffic is DNS.
    pub dns_ports: DnsPorts,
    /// The networks that are HOST.
    pub host: HostSet,
    /// Databases of places.
    pub geo: Option<Geo>,
    /// Analysis of DNS.
    pub analysis: Analysis<HostSet>,
    /// The packets so far.
    pub intake: Intake,
}

/// The packets that a [`Pipeline`] took.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    /// All packets.
    pub packets: u64,
    /// Packets that the filter took out.
    pub filtered: u64,
    /// Filtered frames with a VLAN tag, if the expression of the filter does not mention tags.
    pub filtered_tagged: u64,
    /// Link types, in the order of their first packets.
    pub link_types: Vec<LinkType>,
    /// Which addresses answer; `None` if HOST is known.
    pub answers: Option<AnswerCounts>,
    /// Frames with an EtherType that the classifier does not know.
    pub ethertypes: UnknownEtherTypes,
}

impl Intake {
    /// Packets that were counted.
    pub fn counted(&self) -> u64 {
        self.packets.saturating_sub(self.filtered)
    }
}

impl Pipeline {
    /// A pipeline that no packet has passed yet.
    ///
    /// # Errors
    ///
    /// A geo database cannot be read, or the filter does not compile.
    pub(crate) fn new(
        config: &PipelineConfig,
        filter: Option<Filter>,
        host: HostSet,
    ) -> anyhow::Result<Self> {
        let geo = config.open_geo()?;
        if let Some(filter) = &filter {
            filter.check()?;
        }
        Ok(Self {
            filter,
            dns_ports: config.dns_ports,
            host: host.clone(),
            geo,
            analysis: Analysis::new(config.analysis_settings(host)),
            intake: Intake::default(),
        })
    }

    /// Takes one packet.
    ///
    /// # Errors
    ///
    /// The filter cannot be compiled for the packet's link type.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, batch: &mut Batch<'_>) -> Result<(), FilterError> {
        self.frame(packet, packet.wire_len, batch)
    }

    /// Takes one packet that may have been several on the wire, of `segment_len` bytes each except
    /// the last.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::packet`].
    #[inline]
    pub fn frame(
        &mut self,
        packet: &Packet<'_>,
        segment_len: u32,
        batch: &mut Batch<'_>,
    ) -> Result<(), FilterError> {
        let (mut steps, analysis) = self.divided();
        if steps.admits(packet)? {
            steps.take(packet, segment_len, batch, analysis);
        }
        Ok(())
    }

    /// The steps that every packet passes, and the analysis that only some packets need.
    #[inline(always)]
    pub(crate) fn divided(&mut self) -> (PacketSteps<'_>, &mut Analysis<HostSet>) {
        let Self { filter, dns_ports, host, geo, analysis, intake } = self;
        (PacketSteps { filter, dns_ports, host, geo, intake }, analysis)
    }

    /// Sets the byte order of the capture file that the next packets come from.
    #[inline]
    pub fn set_byte_order(&mut self, order: ByteOrder) {
        self.divided().0.set_byte_order(order);
    }

    /// Sets the networks that are HOST.
    pub fn set_host(&mut self, host: HostSet) {
        self.analysis.set_host(host.clone());
        self.host = host;
    }
}

/// All steps but the analysis.
pub(crate) struct PacketSteps<'p> {
    filter: &'p mut Option<Filter>,
    dns_ports: &'p DnsPorts,
    host: &'p HostSet,
    pub(crate) geo: &'p mut Option<Geo>,
    pub(crate) intake: &'p mut Intake,
}

impl PacketSteps<'_> {
    /// Whether a packet passes the filter. Call it once for each packet.
    ///
    /// # Errors
    ///
    /// The filter cannot be compiled for the packet's link type.
    #[inline(always)]
    pub(crate) fn admits(&mut self, packet: &Packet<'_>) -> Result<bool, FilterError> {
        self.intake.packets += u64::from(packet.segments);
        if self.intake.link_types.last() != Some(&packet.link_type) {
            self.add_link_type(packet.link_type);
        }
        if let Some(filter) = &mut self.filter
            && !filter.passes(packet)?
        {
            self.intake.filtered += u64::from(packet.segments);
            self.intake.filtered_tagged += u64::from(filter.missed_a_tag(packet));
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes a packet that was admitted, and analyses it.
    #[inline(always)]
    pub(crate) fn take(
        &mut self,
        packet: &Packet<'_>,
        segment_len: u32,
        batch: &mut Batch<'_>,
        analysis: &mut Analysis<HostSet>,
    ) {
        batch.advance(packet.timestamp_ns, |end_ns, recorder| analysis.advance(end_ns, recorder));
        let (class, direction) = self.classified(packet);
        // The counters are prefetched and updated last, so that their memory arrives during the
        // analysis.
        let keys = PacketKeys::of(&class, direction);
        batch.prefetch_packet(&keys);
        match batch.watching_observer(AnalysedPacket { packet, class: &class, direction }) {
            None => analysis.packet(packet, &class, batch.recorder()),
            Some(observer) => analyse_watched(analysis, packet, &class, observer),
        }
        match packet.segments {
            1 => batch.packet(&class, &keys, packet.wire_len),
            _ => count_segments(&class, &keys, packet, segment_len, batch),
        }
        self.locate(&class, direction, packet.segments, batch);
    }

    /// Counts a packet that was admitted and does not begin a second, and gives it to `analyse` if
    /// it is to be analysed. It was one packet on the wire.
    #[inline(always)]
    pub(crate) fn count(
        &mut self,
        packet: &Packet<'_>,
        batch: &mut Batch<'_>,
        analyse: impl FnOnce(&Packet<'_>, &Class),
    ) {
        batch.advance(packet.timestamp_ns, |_, _| {});
        let (class, direction) = self.classified(packet);
        let keys = PacketKeys::of(&class, direction);
        batch.prefetch_packet(&keys);
        if class.has(flags::ANY_DNS) || class.has(flags::FRAGMENT) {
            analyse(packet, &class);
        }
        batch.packet(&class, &keys, packet.wire_len);
        self.locate(&class, direction, packet.segments, batch);
    }

    /// Classifies a packet.
    #[inline(always)]
    fn classified(&mut self, packet: &Packet<'_>) -> (Class, Direction) {
        let mut class = Class::default();
        classify(packet.data, packet.link_type, self.dns_ports, &mut class);
        if class.unknown_ethertype != 0 {
            self.intake.ethertypes.add(class.unknown_ethertype, u64::from(packet.segments));
        }
        let direction = direction(&class, self.host);
        if direction == Direction::Unknown
            && class.has(flags::ANY_DNS)
            && let Some(answers) = &mut self.intake.answers
        {
            answers.sample(&class, self.dns_ports);
        }
        (class, direction)
    }

    #[inline(always)]
    fn locate(&mut self, class: &Class, direction: Direction, segments: u16, batch: &mut Batch<'_>) {
        if let Some(geo) = self.geo {
            locate(geo, class, direction, segments, batch);
        }
    }

    /// Sets the byte order of the capture file that the next packets come from.
    #[inline]
    pub(crate) fn set_byte_order(&mut self, order: ByteOrder) {
        if let Some(filter) = &mut self.filter {
            filter.set_endian(match order {
                ByteOrder::Little => Endian::Little,
                ByteOrder::Big => Endian::Big,
            });
        }
    }

    #[cold]
    fn add_link_type(&mut self, link_type: LinkType) {
        let known = self.intake.link_types.iter().position(|known| *known == link_type);
        match known {
            // To the end, where the next packet looks first.
            Some(known) => self.intake.link_types[known..].rotate_left(1),
            None => {
                if !link_type.is_supported() {
                    tracing::warn!(
                        "link type {} is not supported: its frames count as non-IP (https://www.tcpdump.org/linktypes.html)",
                        link_type.0
                    );
                }
                self.intake.link_types.push(link_type);
            }
        }
    }
}

/// Analyses a packet while there are watches.
#[cold]
fn analyse_watched(
    analysis: &mut Analysis<HostSet>,
    packet: &Packet<'_>,
    class: &Class,
    mut observer: WatchingObserver<'_, '_>,
) {
    analysis.packet(packet, class, &mut observer);
}

/// Counts a packet as its segments on the wire. The last of them carries the flags that end a
/// connection.
#[cold]
fn count_segments(
    class: &Class,
    keys: &PacketKeys<'_>,
    packet: &Packet<'_>,
    segment_len: u32,
    batch: &mut Batch<'_>,
) {
    let Some(before) = packet.segments.checked_sub(1) else { return };
    let ends = tcp_flags::FIN | tcp_flags::RST;
    let earlier = Class { tcp_flags: class.tcp_flags & !ends, ..*class };
    for _ in 0..before {
        batch.packet(&earlier, keys, segment_len);
    }
    let last_len = packet.wire_len.saturating_sub(segment_len.saturating_mul(u32::from(before)));
    batch.packet(class, keys, last_len);
}

/// Counts the remote end of a packet under its place and network.
fn locate(geo: &mut Geo, class: &Class, direction: Direction, segments: u16, batch: &mut Batch<'_>) {
    let Some(remote) = direction.remote(class) else { return };
    let location = geo.locate(remote.into());
    batch.recorder().located(location.city, location.asn, u64::from(segments));
}
