//! Which packets count at all: a tcpdump expression, compiled by libpcap, run over captured packets.
//!
//! The compiled program is classic BPF and is specific to a link type, so each link type that turns up gets its own.
//! `len`, `greater` and `less` mean the length on the wire, which the interpreter is told apart from what was captured.

use std::ffi::{c_uint, c_void};

use pcap::{BpfProgram, Linktype};
use pktvisor_common::classify::LinkType;

use super::Packet;

/// Why an expression is no filter.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// libpcap refuses it whatever the link type.
    #[error(
        "cannot compile the filter expression '{expression}': {reason}; see pcap-filter(7) for its syntax"
    )]
    Expression {
        /// What was given.
        expression: String,
        /// libpcap's words.
        reason: String,
    },
    /// libpcap refuses it for a link type, for the reason it gives.
    #[error(
        "cannot compile the filter expression '{expression}' for link type {link}: {reason}; see pcap-filter(7) for its syntax"
    )]
    Compile {
        /// What was given.
        expression: String,
        /// The link type of the capture.
        link: String,
        /// libpcap's words.
        reason: String,
    },
}

/// Link types that between them have a meaning for all that a filter can say: of Ethernet, IP alone, cooked captures,
/// wireless LAN, pf's log and ATM.
const FAMILIES: [LinkType; 6] =
    [LinkType::ETHERNET, LinkType::RAW, LinkType::LINUX_SLL, LinkType(105), LinkType(117), LinkType(123)];

/// A filter expression and its programs, one for each link type met so far.
pub struct Filter {
    expression: String,
    programs: Vec<(LinkType, BpfProgram)>,
}

impl Filter {
    /// A filter that is compiled as link types turn up.
    pub fn new(expression: impl Into<String>) -> Self {
        Self { expression: expression.into(), programs: Vec::new() }
    }

    /// Looks at the expression alone: a mistake is told before the first packet has come.
    ///
    /// # Errors
    ///
    /// No link type has a program for it.
    pub fn check(&self) -> Result<(), FilterError> {
        let mut refused = Ok(());
        for link_type in FAMILIES {
            match self.program(link_type) {
                Ok(_) => return Ok(()),
                // What libpcap says of Ethernet is what most people have in mind.
                Err(reason) if refused.is_ok() => {
                    refused = Err(FilterError::Expression { expression: self.expression.clone(), reason });
                }
                Err(_) => {}
            }
        }
        refused
    }

    /// Whether the packet passes.
    ///
    /// # Errors
    ///
    /// The expression cannot be compiled for the packet's link type.
    pub fn passes(&mut self, packet: &Packet<'_>) -> Result<bool, FilterError> {
        let known = self.programs.iter().position(|(link, _)| *link == packet.link_type);
        let index = match known {
            Some(index) => index,
            None => {
                let program = self.compile(packet.link_type)?;
                self.programs.push((packet.link_type, program));
                self.programs.len() - 1
            }
        };
        Ok(run(&self.programs[index].1, packet))
    }

    fn compile(&self, link_type: LinkType) -> Result<BpfProgram, FilterError> {
        self.program(link_type).map_err(|reason| FilterError::Compile {
            expression: self.expression.clone(),
            link: link_of(link_type)
                .get_name()
                .map_or_else(|_| link_type.0.to_string(), |name| format!("{} ({name})", link_type.0)),
            reason,
        })
    }

    /// The program for a link type, or libpcap's words.
    fn program(&self, link_type: LinkType) -> Result<BpfProgram, String> {
        let compiled = pcap::Capture::dead(link_of(link_type))
            .and_then(|capture| capture.compile(&self.expression, true));
        compiled.map_err(|error| match error {
            pcap::Error::PcapError(words) => words,
            other => other.to_string(),
        })
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("expression", &self.expression).finish_non_exhaustive()
    }
}

/// The number libpcap uses in memory where it is not the one in files (pcap-linktype(7)).
fn link_of(link_type: LinkType) -> Linktype {
    Linktype(match link_type {
        LinkType::RAW | LinkType::RAW_OPENBSD => 12,
        LinkType(100) => 11,
        LinkType(other) => i32::from(other),
    })
}

fn run(program: &BpfProgram, packet: &Packet<'_>) -> bool {
    let instructions = program.get_instructions();
    let captured = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
    // SAFETY: libpcap compiled the instructions and they live as long as `program`; they are passed in libpcap's own
    // layout (`BpfInstruction` is a transparent `struct bpf_insn`). The interpreter reads at most `captured` bytes of
    // the packet, which are there.
    unsafe { bpf_filter(instructions.as_ptr().cast(), packet.data.as_ptr(), packet.wire_len, captured) != 0 }
}

unsafe extern "C" {
    /// libpcap's interpreter of classic BPF.
    fn bpf_filter(
        instructions: *const c_void,
        packet: *const u8,
        wire_len: c_uint,
        captured_len: c_uint,
    ) -> c_uint;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &[u8], wire_len: u32, link_type: LinkType) -> Packet<'_> {
        Packet { timestamp_ns: 0, data, wire_len, link_type, segments: 1 }
    }

    /// A raw IPv4 header of 20 bytes with this protocol.
    fn ipv4(protocol: u8) -> [u8; 20] {
        let mut header = [0; 20];
        header[0] = 0x45;
        header[3] = 20;
        header[9] = protocol;
        header
    }

    #[test]
    fn packets_pass_by_what_they_are() {
        let mut filter = Filter::new("udp");
        assert!(filter.passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap());
        assert!(!filter.passes(&packet(&ipv4(6), 20, LinkType::RAW)).unwrap());
    }

    #[test]
    fn each_link_type_has_its_own_program() {
        let mut filter = Filter::new("udp");
        let mut ethernet = vec![0; 12];
        ethernet.extend_from_slice(&[8, 0]);
        ethernet.extend_from_slice(&ipv4(17));
        assert!(filter.passes(&packet(&ethernet, 34, LinkType::ETHERNET)).unwrap());
        assert!(filter.passes(&packet(&ipv4(17), 20, LinkType::IPV4)).unwrap());
        assert_eq!(filter.programs.len(), 2);
    }

    #[test]
    fn length_means_length_on_the_wire() {
        let mut filter = Filter::new("greater 100");
        assert!(filter.passes(&packet(&ipv4(17), 1500, LinkType::RAW)).unwrap());
        assert!(!filter.passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap());
    }

    #[test]
    fn a_bad_expression_is_refused_in_the_words_of_libpcap() {
        let error = Filter::new("udp prot 53").passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("udp prot 53") && text.contains("syntax error"), "{text}");
    }

    #[test]
    fn a_bad_expression_is_refused_without_a_packet() {
        let error = Filter::new("udp prot 53").check().unwrap_err();
        assert!(error.to_string().contains("syntax error"), "{error}");
        for good in ["udp port 53", "ether host 1:2:3:4:5:6", "type mgt", "rulenum 1", "vpi 1", "ifindex 2"] {
            assert!(Filter::new(good).check().is_ok(), "{good}");
        }
    }

    #[test]
    fn an_expression_that_does_not_fit_the_link_type_names_it() {
        let error =
            Filter::new("ether host 1:2:3:4:5:6").passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap_err();
        assert!(error.to_string().contains("101"), "{error}");
    }
}
