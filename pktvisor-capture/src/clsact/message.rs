//! The few rtnetlink messages about `clsact` (rtnetlink(7), `<linux/pkt_sched.h>`,
//! `<linux/pkt_cls.h>`).

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, Parseable,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{
    TcAttribute, TcBpfFlags, TcFilterBpf, TcFilterBpfOption, TcHandle, TcMessage, TcOption,
};
use pktvisor_common::direction::LinkDirection;

/// A request.
pub(super) type Request = NetlinkMessage<RouteNetlinkMessage>;

/// Fails if a queueing discipline already exists.
pub(super) fn make_qdisc(interface_index: u32) -> Request {
    let mut message = qdisc(interface_index);
    message.attributes.push(TcAttribute::Kind("clsact".to_owned()));
    request(NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewQueueDiscipline(message))
}

pub(super) fn remove_qdisc(interface_index: u32) -> Request {
    request(NLM_F_ACK, RouteNetlinkMessage::DelQueueDiscipline(qdisc(interface_index)))
}

/// The kernel assigns handle and priority: behind the filters that are there.
pub(super) fn add_filter(
    interface_index: u32,
    direction: LinkDirection,
    program: u32,
    name: &str,
) -> Request {
    let mut message = filter(interface_index, direction);
    message.header.info = all_protocols(0);
    let options = [
        TcFilterBpfOption::ProgFd(program),
        TcFilterBpfOption::ProgName(name.to_owned()),
        TcFilterBpfOption::Flags(TcBpfFlags::DirectAction),
    ];
    message.attributes.push(TcAttribute::Kind(TcFilterBpf::KIND.to_owned()));
    message.attributes.push(TcAttribute::Options(options.map(TcOption::Bpf).into()));
    request(NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewTrafficFilter(message))
}

pub(super) fn remove_filter(interface_index: u32, direction: LinkDirection, found: &TcFilter) -> Request {
    let mut message = filter(interface_index, direction);
    message.header.handle = found.handle;
    message.header.info = all_protocols(found.priority);
    request(NLM_F_ACK, RouteNetlinkMessage::DelTrafficFilter(message))
}

pub(super) fn list_filters(interface_index: u32, direction: LinkDirection) -> Request {
    request(NLM_F_DUMP, RouteNetlinkMessage::GetTrafficFilter(filter(interface_index, direction)))
}

fn request(flags: u16, message: RouteNetlinkMessage) -> Request {
    // Sequence number and port stay 0: one request waits for its answer.
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message))
}

/// About the queueing discipline of an interface.
fn qdisc(interface_index: u32) -> TcMessage {
    let mut message = TcMessage::with_index(interface_index.cast_signed());
    message.header.handle = TcHandle { major: u16::MAX, minor: 0 };
    message.header.parent = TcHandle::CLSACT;
    message
}

/// About the filters of one direction.
fn filter(interface_index: u32, direction: LinkDirection) -> TcMessage {
    let minor = match direction {
        LinkDirection::Ingress => TcHandle::MIN_INGRESS,
        LinkDirection::Egress => TcHandle::MIN_EGRESS,
    };
    let mut message = TcMessage::with_index(interface_index.cast_signed());
    message.header.parent = TcHandle { major: u16::MAX, minor };
    message
}

/// `tcm_info` of a filter for every protocol.
fn all_protocols(priority: u16) -> u32 {
    u32::from(priority) << 16 | u32::from((libc::ETH_P_ALL as u16).to_be())
}

/// A filter as the kernel lists it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TcFilter {
    pub(super) handle: TcHandle,
    pub(super) priority: u16,
    /// Empty for filters of another kind than BPF.
    pub(super) name: String,
}

impl TcFilter {
    /// From the body of a message, after its `nlmsghdr`. `None` for a chain's head, which is listed
    /// without a handle.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let Ok(message) = TcMessage::parse(body) else {
            // Somebody else's filter, of a kind that is not understood.
            return Some(Self { handle: TcHandle::UNSPEC, priority: 0, name: String::new() });
        };
        if message.header.handle == TcHandle::UNSPEC {
            return None;
        }
        let options = message.attributes.into_iter().find_map(|attribute| match attribute {
            TcAttribute::Options(options) => Some(options),
            _ => None,
        });
        let name = options.into_iter().flatten().find_map(|option| match option {
            TcOption::Bpf(TcFilterBpfOption::ProgName(name)) => Some(name),
            _ => None,
        });
        Some(Self {
            handle: message.header.handle,
            priority: (message.header.info >> 16) as u16,
            name: name.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;

    use super::*;

    /// The filter that [`add_filter`] describes, with a handle and a priority as the kernel assigns
    /// them.
    fn listed(direction: LinkDirection) -> Vec<u8> {
        let (_, payload) = add_filter(7, direction, 3, "pktvisord-1-0").into_parts();
        let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewTrafficFilter(mut message)) = payload else {
            panic!("not a new filter");
        };
        message.header.handle = 1.into();
        message.header.info = all_protocols(49152);
        let mut body = vec![0; message.buffer_len()];
        message.emit(&mut body);
        body
    }

    #[test]
    fn a_filter_is_read_back_as_it_was_sent() {
        let filter = TcFilter { handle: 1.into(), priority: 49152, name: "pktvisord-1-0".to_owned() };
        assert_eq!(TcFilter::parse(&listed(LinkDirection::Egress)), Some(filter));
    }

    #[test]
    fn a_message_cut_anywhere_is_a_filter_without_name() {
        let body = listed(LinkDirection::Ingress);
        // The last attribute is TCA_BPF_FLAGS, 8 bytes long.
        for len in 0..body.len() - 8 {
            assert_eq!(TcFilter::parse(&body[..len]).map(|filter| filter.name), Some(String::new()), "{len}");
        }
    }
}
