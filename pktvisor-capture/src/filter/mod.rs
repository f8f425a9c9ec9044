//! Which packets count: a tcpdump expression, compiled by libpcap, run over captured packets or in
//! the kernel.
//!
//! The compiled program is classic BPF and is specific to a link type and to what kind of capture
//! it comes from, so each pair that turns up gets its own. `len`, `greater` and `less` mean the
//! length on the wire, which the interpreter gets beside the captured length.
//!
//! [`compile`] asks libpcap. Captured packets: [`interpret`]. Live interfaces: [`classic`] decodes
//! what libpcap compiled, [`translate`] makes eBPF of it, [`program`] puts that before the counting
//! program.

mod access;
mod assembler;
mod bpf;
mod classic;
mod compile;
mod context;
mod interpret;
mod own_port;
mod program;
mod split;
mod tag;
mod tagged;
#[cfg(any(test, feature = "test-run"))]
pub mod test_run;
#[cfg(test)]
mod tests;
mod translate;
mod verdict;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub(crate) use bpf::{attach_tcx_egress, attach_tcx_ingress, attach_xdp, link_interface};
pub use classic::ClassicError;
pub use compile::{Endian, PacketOrigin};
use parking_lot::Mutex;
use pktvisor_common::classify::LinkType;
pub use tagged::WARNING as TAGS_WARNING;
use terminal_text::Escaped;

pub use context::ProgramContext;
pub use program::{FilterProgram, FilterProgramError, FilterSite, Rejected};
pub use translate::TranslateError;

use classic::BpfInsn;
use pktvisor_common::packet::Packet;

/// Why an expression does not compile.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// libpcap refuses it for every link type.
    #[error(
        "cannot compile the filter expression '{}': {}; see pcap-filter(7) for its syntax",
        Excerpt(.expression),
        Escaped(.reason)
    )]
    Expression {
        /// The expression, as given.
        expression: String,
        /// libpcap's words.
        reason: String,
    },
    /// libpcap refuses it for a link type, for the reason it gives.
    #[error(
        "cannot compile the filter expression '{}' for link type {link}: {}; see pcap-filter(7) for its syntax",
        Excerpt(.expression),
        Escaped(.reason)
    )]
    Compile {
        /// The expression, as given.
        expression: String,
        /// The link type of the capture.
        link: String,
        /// libpcap's words.
        reason: String,
    },
}

/// An expression in a message: its control characters do nothing, and it does not fill the screen.
struct Excerpt<'a>(&'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARACTERS_MAX: usize = 200;
        match self.0.char_indices().nth(CHARACTERS_MAX) {
            Some((end, _)) => {
                let shown = self.0.get(..end).unwrap_or_default();
                write!(f, "{}... ({} bytes)", Escaped(shown), self.0.len())
            }
            None => Escaped(self.0).fmt(f),
        }
    }
}

/// Link types that between them have a meaning for all that a filter can say: of Ethernet, IP
/// alone, cooked captures, wireless LAN, pf's log and ATM.
const FAMILIES: [LinkType; 7] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType(105),
    LinkType(117),
    LinkType(123),
];

/// A filter expression and its programs, one for each link type and source met so far.
pub struct Filter {
    expression: String,
    /// A TCP port whose packets do not pass.
    ignored_port: Option<u16>,
    /// Where the next packets come from.
    source: PacketOrigin,
    mentions_tags: bool,
    programs: Mutex<Vec<CompiledFilter>>,
}

struct CompiledFilter {
    link_type: LinkType,
    source: PacketOrigin,
    instructions: Arc<[BpfInsn]>,
}

impl Filter {
    /// A filter for packets of interfaces, that is compiled as link types turn up.
    pub fn new(expression: impl Into<String>) -> Self {
        Self::of(expression.into(), PacketOrigin::Live)
    }

    /// A filter for packets of capture files.
    pub fn for_files(expression: impl Into<String>) -> Self {
        Self::of(expression.into(), PacketOrigin::File(Endian::NATIVE))
    }

    /// A filter for packets of interfaces that takes out those of a TCP port, and those that do not
    /// match the expression, if there is one.
    pub fn without_tcp_port(expression: Option<&str>, port: u16) -> Self {
        Self { ignored_port: Some(port), ..Self::new(expression.unwrap_or_default()) }
    }

    fn of(expression: String, source: PacketOrigin) -> Self {
        // No expression has no offsets that a tag could shift.
        let mentions_tags = expression.trim().is_empty() || split::mentions(&expression, "vlan");
        Self { expression, ignored_port: None, source, mentions_tags, programs: Mutex::default() }
    }

    /// The next packets come from a capture file of this byte order.
    #[inline]
    pub fn set_endian(&mut self, order: Endian) {
        self.source = PacketOrigin::File(order);
    }

    /// Checks the expression alone, so that a mistake is reported before the first packet.
    ///
    /// # Errors
    ///
    /// No link type has a program for it.
    pub fn check(&self) -> Result<(), FilterError> {
        let mut refused = Ok(());
        for link_type in FAMILIES {
            match self.program(link_type) {
                Ok(_) => return Ok(()),
                // Most people expect the error for Ethernet.
                Err(reason) if refused.is_ok() => {
                    refused = Err(FilterError::Expression { expression: self.expression.clone(), reason });
                    if self.expression.len() > LONG_BYTES {
                        break;
                    }
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

    /// The expression, as given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Whether the expression says something of VLAN tags. If not, it is about untagged packets
    /// only: what it says of IP and what is above is looked for where that begins without a tag.
    pub fn mentions_tags(&self) -> bool {
        self.mentions_tags
    }

    /// The program for a link type.
    ///
    /// # Errors
    ///
    /// The expression cannot be compiled for it.
    pub(crate) fn classic(&self, link_type: LinkType) -> Result<Vec<BpfInsn>, FilterError> {
        self.compile(link_type).map(|program| program.to_vec())
    }

    /// Whether the packet passes.
    ///
    /// # Errors
    ///
    /// The expression cannot be compiled for the packet's link type.
    pub fn passes(&mut self, packet: &Packet<'_>) -> Result<bool, FilterError> {
        let source = self.source;
        let is_for =
            |program: &&CompiledFilter| program.link_type == packet.link_type && program.source == source;
        if let Some(program) = self.programs.get_mut().iter().find(is_for) {
            return Ok(interpret::accepts(&program.instructions, packet.data, packet.wire_len));
        }
        let program = self.compile(packet.link_type)?;
        Ok(interpret::accepts(&program, packet.data, packet.wire_len))
    }

    /// Whether a packet that did not pass has a VLAN tag, which the expression does not expect.
    #[inline]
    pub fn missed_a_tag(&self, packet: &Packet<'_>) -> bool {
        !self.mentions_tags && tagged::is_tagged(packet)
    }

    fn compile(&self, link_type: LinkType) -> Result<Arc<[BpfInsn]>, FilterError> {
        self.program(link_type).map_err(|reason| FilterError::Compile {
            expression: self.expression.clone(),
            link: compile::name_of(link_type),
            reason,
        })
    }

    /// The program for a link type, or libpcap's words. A program is compiled once.
    fn program(&self, link_type: LinkType) -> Result<Arc<[BpfInsn]>, String> {
        let source = self.source;
        let mut programs = self.programs.lock();
        let is_for = |program: &&CompiledFilter| program.link_type == link_type && program.source == source;
        if let Some(program) = programs.iter().find(is_for) {
            return Ok(Arc::clone(&program.instructions));
        }
        let expression = match self.ignored_port {
            Some(port) => own_port::without_tcp_port(&self.expression, port, link_type).into(),
            None => Cow::Borrowed(self.expression.as_str()),
        };
        let instructions: Arc<[BpfInsn]> = compile::compile(&expression, link_type, source)?.into();
        programs.push(CompiledFilter { link_type, source, instructions: Arc::clone(&instructions) });
        Ok(instructions)
    }
}

/// Expressions of which one refusal is enough: to ask for other link types takes long, and says the
/// same.
const LONG_BYTES: usize = 1000;

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("expression", &self.expression).finish_non_exhaustive()
    }
}
