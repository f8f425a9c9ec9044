//! A filter in the kernel: a program of its own before the main one.
//!
//! The filter program is attached in the main program's place. What passes goes on to the main
//! program by a tail call through an array that the filter owns; what does not is counted in the
//! main program's map and let go. Should the array be empty, which happens to clsact filters whose
//! agent was killed, every packet passes on to the host.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use aya_obj::generated::BPF_F_XDP_HAS_FRAGS;
use aya_obj::generated::bpf_prog_type::{BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP};
use pktvisor_common::classify::LinkType;

use super::bpf::{self, Load};
use super::context::ProgramContext;
use super::translate::{TranslateError, translate};
use super::verdict::TaggedPackets;
use super::verdict::Verdicts;
use super::{Excerpt, Filter, FilterError};

/// The fate of a packet that the filter rejects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It goes its way (`inline`): `XDP_PASS`, at tc `TCX_NEXT`, which clsact knows as
    /// `TC_ACT_UNSPEC`.
    Passes,
    /// It is dropped (`tap`): `XDP_DROP`. tc programs watch hosts, whose packets are not dropped.
    Dropped,
}

/// Where a filter program goes, and what it works with there.
#[derive(Clone, Copy, Debug)]
pub struct FilterSite<'a> {
    /// The context, as of the main program.
    pub context: ProgramContext,
    /// The type of the first header of the interface's packets.
    pub link_type: LinkType,
    /// The fate of packets that the filter rejects.
    pub rejected: Rejected,
    /// The loaded main program.
    pub main: BorrowedFd<'a>,
    /// A per-CPU array map of u64, with the entries of [`pktvisor_common::kernel::filtered`].
    pub filtered: BorrowedFd<'a>,
}

/// Why a filter is not in the kernel. Each message contains its cause, so no variant has a source
/// that would print it again.
#[derive(Debug, thiserror::Error)]
pub enum FilterProgramError {
    /// The expression does not compile for the link type.
    #[error(transparent)]
    Compile(#[from] FilterError),
    /// The kernel cannot run the expression.
    #[error("the filter expression '{}' cannot run in the kernel: {reason}", Excerpt(.expression))]
    Translate {
        /// The expression, as given.
        expression: String,
        /// Why not.
        reason: TranslateError,
    },
    /// The kernel refused the translated program.
    #[error(
        "the kernel refuses the program of the filter expression '{}': {reason}{}",
        Excerpt(.expression),
        last_lines(.log)
    )]
    Load {
        /// The expression, as given.
        expression: String,
        /// EPERM: CAP_BPF or CAP_NET_ADMIN is missing.
        reason: io::Error,
        /// The verifier's log.
        log: String,
    },
    /// The main program cannot be put behind the filter.
    #[error("cannot put the counting program behind the filter: {0}")]
    Chain(io::Error),
}

/// The end of the verifier's log, where the reason stands.
fn last_lines(log: &str) -> String {
    const SHOWN: usize = 3;
    let lines: Vec<&str> = log.lines().collect();
    let shown = &lines[lines.len().saturating_sub(SHOWN)..];
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) }
}

/// A loaded filter program, to be attached where the main program would be.
#[derive(Debug)]
pub struct FilterProgram {
    program: OwnedFd,
    /// Kept open: without a descriptor to it the kernel takes the main program out.
    _programs: OwnedFd,
}

impl FilterProgram {
    /// Compiles, translates and loads a filter. Attach it instead of the main program.
    ///
    /// Minimum kernel version: 5.8 (CAP_BPF), 5.18 for XDP with fragments. Wants CAP_BPF and
    /// CAP_NET_ADMIN.
    ///
    /// # Errors
    ///
    /// The expression is wrong or too much for the kernel, privileges are missing, or the main
    /// program is for another context than said.
    pub fn load(filter: &Filter, site: &FilterSite<'_>) -> Result<Self, FilterProgramError> {
        let expression = || filter.expression().to_owned();
        let classic = filter.classic(site.link_type)?;
        let programs = bpf::program_array(c"pktvisor_main", site.main).map_err(FilterProgramError::Chain)?;
        let verdicts = Verdicts {
            context: site.context,
            programs: programs.as_raw_fd(),
            filtered: site.filtered.as_raw_fd(),
            action: action(site),
            tags: tags(filter, site),
        };
        let instructions = translate(&classic, site.link_type, &verdicts)
            .map_err(|reason| FilterProgramError::Translate { expression: expression(), reason })?;
        let (program_type, flags) = match site.context {
            ProgramContext::Xdp { frags: true } => (BPF_PROG_TYPE_XDP, BPF_F_XDP_HAS_FRAGS),
            ProgramContext::Xdp { frags: false } => (BPF_PROG_TYPE_XDP, 0),
            ProgramContext::Tc => (BPF_PROG_TYPE_SCHED_CLS, 0),
        };
        let load = Load { program_type, name: c"pktvisor_filter", instructions: &instructions, flags };
        let program = bpf::load(&load).map_err(|refused| FilterProgramError::Load {
            expression: expression(),
            reason: refused.source,
            log: refused.log,
        })?;
        Ok(Self { program, _programs: programs })
    }
}

impl AsFd for FilterProgram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.program.as_fd()
    }
}

/// Whether an expression does not expect the tags that packets may have.
fn tags(filter: &Filter, site: &FilterSite<'_>) -> TaggedPackets {
    if site.link_type == LinkType::ETHERNET && !filter.mentions_tags() {
        TaggedPackets::Counted
    } else {
        TaggedPackets::Ignored
    }
}

/// The filter program's result for rejected packets.
fn action(site: &FilterSite<'_>) -> i32 {
    // `enum xdp_action` and `enum tcx_action_base` of linux/bpf.h, which aya's bindings leave out.
    const XDP_DROP: i32 = 1;
    const XDP_PASS: i32 = 2;
    const TCX_NEXT: i32 = -1;
    match (site.context, site.rejected) {
        (ProgramContext::Xdp { .. }, Rejected::Passes) => XDP_PASS,
        (ProgramContext::Xdp { .. }, Rejected::Dropped) => XDP_DROP,
        (ProgramContext::Tc, _) => TCX_NEXT,
    }
}
