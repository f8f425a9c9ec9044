//! Writes captures as their drafts define them, complete or with one fault.

use crate::read::byte_order::ByteOrder;

pub(super) const BOTH_ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

/// A buffer that numbers are appended to in one byte order.
pub(super) struct Build {
    pub(super) order: ByteOrder,
    pub(super) bytes: Vec<u8>,
}

impl Build {
    pub(super) fn new(order: ByteOrder) -> Self {
        Self { order, bytes: Vec::new() }
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.bytes.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.bytes.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.bytes.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
        self
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A pcap file header.
    pub(super) fn pcap_header(self, magic: u32, version: (u16, u16), link_field: u32) -> Self {
        self.u32(magic).u16(version.0).u16(version.1).u32(0).u32(0).u32(262_144).u32(link_field)
    }

    /// A pcap packet that was captured whole.
    pub(super) fn pcap_packet(self, seconds: u32, fraction: u32, data: &[u8]) -> Self {
        let len = data.len() as u32;
        self.u32(seconds).u32(fraction).u32(len).u32(len).raw(data)
    }

    /// A pcapng block around a body, which is padded.
    pub(super) fn block(self, block_type: u32, body: impl FnOnce(Build) -> Build) -> Self {
        let mut body = body(Build::new(self.order)).bytes;
        body.resize(body.len().next_multiple_of(4), 0);
        let len = body.len() as u32 + 12;
        self.u32(block_type).u32(len).raw(&body).u32(len)
    }

    pub(super) fn section(self) -> Self {
        self.section_of(1, 0, u64::MAX)
    }

    pub(super) fn section_of(self, major: u16, minor: u16, len: u64) -> Self {
        self.block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(major).u16(minor).u64(len))
    }

    pub(super) fn interface(
        self,
        link_type: u16,
        snap_len: u32,
        options: impl FnOnce(Build) -> Build,
    ) -> Self {
        self.block(1, |body| options(body.u16(link_type).u16(0).u32(snap_len)))
    }

    pub(super) fn ethernet(self) -> Self {
        self.interface(1, 262_144, |options| options)
    }

    /// One option, padded.
    pub(super) fn option(self, code: u16, value: &[u8]) -> Self {
        let padding = value.len().next_multiple_of(4) - value.len();
        self.u16(code).u16(value.len() as u16).raw(value).raw(&[0; 3][..padding])
    }

    pub(super) fn tsresol(self, value: u8) -> Self {
        self.option(9, &[value])
    }

    pub(super) fn tsoffset(self, seconds: i64) -> Self {
        let value = Build::new(self.order).u64(seconds as u64).bytes;
        self.option(14, &value)
    }

    pub(super) fn enhanced(self, interface: u32, ticks: u64, data: &[u8]) -> Self {
        let len = data.len() as u32;
        self.block(6, |body| {
            body.u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32).u32(len).u32(len).raw(data)
        })
    }

    pub(super) fn simple(self, original_len: u32, data: &[u8]) -> Self {
        self.block(3, |body| body.u32(original_len).raw(data))
    }
}

/// A little-endian microsecond capture of packets of 1, 2, ... `count` bytes, one a second.
pub(super) fn small_pcap(count: u32) -> Vec<u8> {
    let header = Build::new(ByteOrder::Little).pcap_header(0xa1b2_c3d4, (2, 4), 1);
    (1..=count).fold(header, |build, n| build.pcap_packet(n, n, &vec![n as u8; n as usize])).bytes
}

/// The same as pcapng, with a block of an unknown type before each packet.
pub(super) fn small_pcapng(count: u32) -> Vec<u8> {
    let header = Build::new(ByteOrder::Big).section().ethernet();
    let packet = |build: Build, n: u32| {
        let ticks = u64::from(n) * 1_000_000 + u64::from(n);
        build.block(0x0bad, |body| body.u32(n)).enhanced(0, ticks, &vec![n as u8; n as usize])
    };
    (1..=count).fold(header, packet).bytes
}
