//! Which packets count at all: a tcpdump expression, compiled by libpcap, run over captured packets or in the kernel.
//!
//! The compiled program is classic BPF and is specific to a link type, so each link type that turns up gets its own.
//! `len`, `greater` and `less` mean the length on the wire, which the interpreter is told apart from what was captured.
//!
//! Captured packets: [`interpret`]. Live interfaces: [`classic`] decodes what libpcap compiled, [`translate`] makes
//! eBPF of it, [`program`] puts that before the counting program.

mod access;
mod assembler;
mod bpf;
mod classic;
mod context;
mod hook;
mod interpret;
mod program;
mod tag;
#[cfg(test)]
mod tests;
mod translate;
mod verdict;

pub(crate) use bpf::{attach_tcx_egress, attach_tcx_ingress, attach_xdp};
pub use classic::ClassicError;
use pcap::{BpfProgram, Linktype};
use pktvisor_common::classify::LinkType;

pub use hook::Hook;
pub use program::{FilterProgram, FilterProgramError, Placement, Rejected};
pub use translate::TranslateError;

use classic::BpfInsn;
use pktvisor_common::packet::Packet;

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

    /// Looks at the expression for one link type.
    ///
    /// # Errors
    ///
    /// It cannot be compiled for it.
    pub fn check_for(&self, link_type: LinkType) -> Result<(), FilterError> {
        self.compile(link_type).map(drop)
    }

    /// What was given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The program for a link type.
    ///
    /// # Errors
    ///
    /// The expression cannot be compiled for it.
    pub(crate) fn classic(&self, link_type: LinkType) -> Result<Vec<BpfInsn>, FilterError> {
        self.compile(link_type).map(|program| interpret::instructions(&program))
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
        Ok(interpret::accepts(&self.programs[index].1, packet.data, packet.wire_len))
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
