//! The few rtnetlink messages about `clsact` (rtnetlink(7), `<linux/pkt_sched.h>`, `<linux/pkt_cls.h>`).

use std::ffi::CStr;
use std::os::fd::RawFd;

use pktvisor_common::direction::LinkDirection;

/// Length of `struct nlmsghdr` and of `struct tcmsg` in bytes.
pub(super) const HEADER_LEN: usize = 16;
const TCMSG_LEN: usize = 20;

const TC_H_CLSACT: u32 = 0xffff_fff1;
const CLSACT_HANDLE: u32 = 0xffff_0000;
const TC_H_CLSACT_INGRESS: u32 = 0xffff_fff2;
const TC_H_CLSACT_EGRESS: u32 = 0xffff_fff3;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_BPF_FD: u16 = 6;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_FLAGS: u16 = 8;
const TCA_BPF_FLAG_ACT_DIRECT: u32 = 1;
/// Of an attribute's type, without the bits that tell nesting and byte order.
const TYPE_MASK: u16 = 0x3fff;

fn parent(direction: LinkDirection) -> u32 {
    match direction {
        LinkDirection::Ingress => TC_H_CLSACT_INGRESS,
        LinkDirection::Egress => TC_H_CLSACT_EGRESS,
    }
}

/// A request.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
}

impl Message {
    pub(super) fn make_qdisc(interface_index: u32) -> Self {
        let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let mut message =
            Self::new(libc::RTM_NEWQDISC, flags, interface_index, [CLSACT_HANDLE, TC_H_CLSACT, 0]);
        message.attribute(TCA_KIND, c"clsact".to_bytes_with_nul());
        message.finish()
    }

    pub(super) fn remove_qdisc(interface_index: u32) -> Self {
        let tcm = [CLSACT_HANDLE, TC_H_CLSACT, 0];
        Self::new(libc::RTM_DELQDISC, libc::NLM_F_ACK, interface_index, tcm).finish()
    }

    /// The kernel chooses handle and priority: behind the filters that are there.
    pub(super) fn add_filter(
        interface_index: u32,
        direction: LinkDirection,
        program: RawFd,
        name: &CStr,
    ) -> Self {
        let flags = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let mut message =
            Self::new(libc::RTM_NEWTFILTER, flags, interface_index, [0, parent(direction), all_protocols(0)]);
        message.attribute(TCA_KIND, c"bpf".to_bytes_with_nul());
        let mut options = Self { bytes: Vec::new() };
        options.attribute(TCA_BPF_FD, &program.to_ne_bytes());
        options.attribute(TCA_BPF_NAME, name.to_bytes_with_nul());
        options.attribute(TCA_BPF_FLAGS, &TCA_BPF_FLAG_ACT_DIRECT.to_ne_bytes());
        message.attribute(TCA_OPTIONS | libc::NLA_F_NESTED as u16, &options.bytes);
        message.finish()
    }

    pub(super) fn remove_filter(interface_index: u32, direction: LinkDirection, filter: &TcFilter) -> Self {
        let tcm = [filter.handle, parent(direction), all_protocols(filter.priority)];
        Self::new(libc::RTM_DELTFILTER, libc::NLM_F_ACK, interface_index, tcm).finish()
    }

    pub(super) fn list_filters(interface_index: u32, direction: LinkDirection) -> Self {
        Self::new(libc::RTM_GETTFILTER, libc::NLM_F_DUMP, interface_index, [0, parent(direction), 0]).finish()
    }

    /// The headers; `tcm` is handle, parent and information of `struct tcmsg`.
    fn new(kind: u16, flags: i32, interface_index: u32, tcm: [u32; 3]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
        // Sequence number and sender: of no use where one request waits for its answer.
        bytes.extend([0; 8]);
        // Address family and padding.
        bytes.extend([0; 4]);
        bytes.extend(interface_index.to_ne_bytes());
        bytes.extend(tcm.iter().flat_map(|field| field.to_ne_bytes()));
        Self { bytes }
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend((value.len() as u16 + 4).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Self {
        let len = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&len.to_ne_bytes());
        self
    }
}

/// `tcm_info` of a filter for every protocol.
fn all_protocols(priority: u16) -> u32 {
    u32::from(priority) << 16 | u32::from((libc::ETH_P_ALL as u16).to_be())
}

/// A filter as the kernel lists it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TcFilter {
    pub(super) handle: u32,
    pub(super) priority: u16,
    /// Empty for filters of another kind than BPF.
    pub(super) name: String,
}

impl TcFilter {
    /// From the body of a message, after its `nlmsghdr`. Nothing for a chain's head, which is listed without a handle.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let handle = number(body, 8)?;
        let priority = (number(body, 16)? >> 16) as u16;
        let attributes = body.get(TCMSG_LEN..)?;
        let name = attribute(attributes, TCA_OPTIONS)
            .and_then(|options| attribute(options, TCA_BPF_NAME))
            .and_then(|name| CStr::from_bytes_until_nul(name).ok())
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        (handle != 0).then_some(Self { handle, priority, name })
    }
}

/// The value of an attribute.
fn attribute(mut attributes: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let len = usize::from(u16::from_ne_bytes(attributes.get(..2)?.try_into().ok()?));
        let found = u16::from_ne_bytes(attributes.get(2..4)?.try_into().ok()?) & TYPE_MASK;
        let value = attributes.get(4..len)?;
        if found == kind {
            return Some(value);
        }
        attributes = attributes.get(len.next_multiple_of(4)..)?;
    }
}

/// A number in the machine's byte order.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_read_back_as_it_was_sent() {
        let mut sent = Message::add_filter(7, LinkDirection::Egress, 3, c"pktvisord-1-0").bytes;
        // What the kernel chooses.
        sent[HEADER_LEN + 8..][..4].copy_from_slice(&1_u32.to_ne_bytes());
        sent[HEADER_LEN + 16..][..4].copy_from_slice(&all_protocols(49152).to_ne_bytes());
        let read = TcFilter::parse(&sent[HEADER_LEN..]);
        assert_eq!(read, Some(TcFilter { handle: 1, priority: 49152, name: "pktvisord-1-0".to_owned() }));
    }

    #[test]
    fn a_message_cut_anywhere_is_no_filter_or_one_without_name() {
        let mut sent = Message::add_filter(7, LinkDirection::Ingress, 3, c"pktvisord-1-0").bytes;
        sent[HEADER_LEN + 8] = 1;
        for len in HEADER_LEN..sent.len() - 12 {
            let read = TcFilter::parse(&sent[HEADER_LEN..len]);
            assert!(read.is_none_or(|filter| filter.name.is_empty()), "{len}");
        }
    }
}
