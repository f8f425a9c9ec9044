//! Puts the kernel programs where an interface's packets pass: native XDP or tcx on the way in
//! ([`HookChoice`]), tcx on the way out.
//!
//! Links are held by file descriptor: the kernel detaches the programs even if the agent crashes.
//! Below Linux 6.6 there is no tcx; filters of a `clsact` qdisc take its place.

mod choice;
mod driver;
mod error;
mod hook;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use aya::maps::{MapData, XskMap};
pub use choice::HookChoice;
use choice::IngressPlan;
use driver::driver_name;
pub use error::{AttachError, Refusal};
pub use hook::Hook;
use pktvisor_common::classify::LinkType;
use pktvisor_common::direction::LinkDirection;

use super::clsact::Clsact;
use super::filter::{
    Filter, FilterProgram, FilterSite, ProgramContext, Rejected, attach_tcx_egress, attach_tcx_ingress,
    attach_xdp, link_interface,
};
use super::interfaces::{Hardware, Interface};
use super::kernel::{EntryPoint, KernelError, KernelPrograms};

/// Attaches to interfaces, one after the other.
#[derive(Debug)]
pub struct Attacher {
    programs: KernelPrograms,
    filter: Option<Filter>,
    choice: HookChoice,
}

/// The programs on one interface; taken off when dropped.
#[derive(Debug)]
pub struct Attached {
    /// Its name when the programs were attached.
    pub interface: String,
    /// Its index.
    pub index: u32,
    /// Where packets are seen on the way in.
    pub ingress: Hook,
    /// Why there.
    pub ingress_reason: String,
    /// Where packets are seen on the way out; `None` where all of them come in again (loopback).
    pub egress: Option<Hook>,
    /// Hooks that refused before, one sentence each.
    pub notes: Vec<String>,
    /// They detach when dropped.
    programs: Vec<Placed>,
    /// Never read; detaches its filters when dropped.
    _clsact: Option<Clsact>,
}

impl Attached {
    /// Whether the kernel still has all programs on the interface. It detaches them when the
    /// interface is removed; a new interface may already have its name and even its index. Filters
    /// of clsact give no answer: they count as live.
    pub fn is_live(&self) -> bool {
        let links = self.programs.iter().filter_map(|placed| placed.link.as_ref());
        // A kernel that does not say (before Linux 5.8) has not taken them off either, as far as is
        // known.
        links.map(link_interface).all(|interface| interface.is_none_or(|index| index == self.index))
    }
}

/// A program in its place. What is dropped first detaches it.
#[derive(Debug)]
struct Placed {
    /// None for clsact, which detaches all its filters together.
    link: Option<OwnedFd>,
    _filter: Option<FilterProgram>,
}

/// The entry point for each direction of an interface.
struct Ways {
    /// At traffic control; at XDP there is only one.
    ingress: EntryPoint,
    egress: Option<EntryPoint>,
}

impl Attacher {
    /// Attaches these programs, behind `filter` if there is one; on the way in to the hook of
    /// `choice`.
    pub fn new(programs: KernelPrograms, filter: Option<Filter>, choice: HookChoice) -> Self {
        Self { programs, filter, choice }
    }

    /// Attaches to `interface`, on both ways, to another hook if the chosen one does not take the
    /// program. Packets are never changed or held up.
    ///
    /// # Errors
    ///
    /// One of the two ways is left without a hook, or the filter does not fit; nothing stays
    /// attached then.
    pub fn attach(&mut self, interface: &Interface) -> Result<Attached, AttachError> {
        let name = || interface.name.clone();
        let ways = ways(interface)?;
        // Both directions begin at one moment, however long it takes to verify and attach the
        // second program.
        let _attaching = self.programs.attaching(interface.index);
        let mut hooks = InterfaceHooks { interface_index: interface.index, clsact: None };
        let classifier = hook::classifier_hook();
        let driver = || driver_name(&interface.name);
        let plan = IngressPlan::new(self.choice, interface.hardware, driver, classifier);
        let mut refusals = Vec::new();
        let mut found = None;
        for hook in plan.hooks {
            let entry = if hook == Hook::Xdp { EntryPoint::Xdp } else { ways.ingress };
            match self.put(entry, hook, LinkDirection::Ingress, &mut hooks)? {
                Ok(placed) => {
                    found = Some((hook, placed));
                    break;
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        let Some((ingress, way_in)) = found else { return Err(AttachError::ingress(interface, &refusals)) };
        let instead = |refusal: &Refusal| format!("{}: {refusal}; {ingress} is used instead", name());
        let notes: Vec<String> = refusals.iter().map(instead).collect();
        let ingress_reason = refusals.first().map_or(plan.reason, Refusal::to_string);
        let mut programs = vec![way_in];
        if let Some(entry) = ways.egress {
            let placed = self.put(entry, classifier, LinkDirection::Egress, &mut hooks)?;
            programs.push(placed.map_err(|refusal| AttachError::Egress { interface: name(), refusal })?);
        }
        let egress = ways.egress.map(|_| classifier);
        Ok(Attached {
            interface: name(),
            index: interface.index,
            ingress,
            ingress_reason,
            egress,
            notes,
            programs,
            _clsact: hooks.clsact,
        })
    }

    /// Attaches to an interface that a mirror port feeds: nothing that it receives reaches the host
    /// any more.
    ///
    /// # Errors
    ///
    /// The driver does not take the program, or the filter does not fit; nothing stays attached
    /// then.
    pub fn attach_tap(&mut self, interface: &Interface) -> Result<Attached, AttachError> {
        if let Hardware::Ip | Hardware::Other(_) = interface.hardware {
            let refusal = Refusal::of_io(Hook::Xdp, &io::ErrorKind::Unsupported.into());
            return Err(AttachError::ingress(interface, &[refusal]));
        }
        let mut hooks = InterfaceHooks { interface_index: interface.index, clsact: None };
        let placed = self.put(EntryPoint::Tap, Hook::Xdp, LinkDirection::Ingress, &mut hooks)?;
        let placed = placed.map_err(|refusal| AttachError::ingress(interface, &[refusal]))?;
        Ok(Attached {
            interface: interface.name.clone(),
            index: interface.index,
            ingress: Hook::Xdp,
            ingress_reason: "only XDP can take packets from the host".to_owned(),
            egress: None,
            notes: Vec::new(),
            programs: vec![placed],
            _clsact: None,
        })
    }

    /// Where [`Attacher::attach_tap`]'s program looks for the sockets of the receive queues.
    ///
    /// # Errors
    ///
    /// The object is not of this version.
    pub fn sockets(&mut self) -> Result<XskMap<&mut MapData>, KernelError> {
        self.programs.sockets()
    }

    /// Puts one program in its place. The outer error would occur at any other hook too.
    fn put(
        &mut self,
        entry: EntryPoint,
        hook: Hook,
        direction: LinkDirection,
        hooks: &mut InterfaceHooks,
    ) -> Result<Result<Placed, Refusal>, AttachError> {
        if let Err(error) = self.programs.fd(entry) {
            return Ok(Err(Refusal::of_kernel(hook, &error)));
        }
        let filter = match &self.filter {
            Some(filter) => Some(load_filter(filter, &mut self.programs, entry, hook)?),
            None => None,
        };
        let program = match &filter {
            Some(program) => program.as_fd(),
            None => self.programs.fd(entry)?.as_fd(),
        };
        Ok(match hooks.link(program, hook, direction) {
            Ok(link) => Ok(Placed { link, _filter: filter }),
            Err(error) => Err(Refusal::of_io(hook, &error)),
        })
    }
}

fn ways(interface: &Interface) -> Result<Ways, AttachError> {
    let (ingress, egress) = match interface.hardware {
        Hardware::Ethernet => (EntryPoint::TcIngress, Some(EntryPoint::TcEgress)),
        // Every sent packet is received again.
        Hardware::Loopback => (EntryPoint::TcIngress, None),
        Hardware::Ip => (EntryPoint::TcIngressRaw, Some(EntryPoint::TcEgressRaw)),
        Hardware::Other(number) => {
            return Err(AttachError::Hardware { interface: interface.name.clone(), number });
        }
    };
    Ok(Ways { ingress, egress })
}

/// The type of the first header of an interface's packets, where programs see them.
pub fn link_type(interface: &Interface) -> LinkType {
    match interface.hardware {
        Hardware::Ip => LinkType::RAW,
        _ => LinkType::ETHERNET,
    }
}

fn load_filter(
    filter: &Filter,
    programs: &mut KernelPrograms,
    entry: EntryPoint,
    hook: Hook,
) -> Result<FilterProgram, AttachError> {
    let filtered = programs.filtered()?.try_clone_to_owned().map_err(AttachError::Descriptor)?;
    let link_type = programs.link_type(entry);
    let site = FilterSite {
        context: match hook {
            Hook::Xdp => ProgramContext::Xdp { frags: true },
            Hook::Tcx | Hook::Clsact => ProgramContext::Tc,
        },
        link_type,
        rejected: if entry == EntryPoint::Tap { Rejected::Dropped } else { Rejected::Passes },
        main: programs.fd(entry)?.as_fd(),
        filtered: filtered.as_fd(),
    };
    Ok(FilterProgram::load(filter, &site)?)
}

/// An interface while programs are put on it.
struct InterfaceHooks {
    interface_index: u32,
    clsact: Option<Clsact>,
}

impl InterfaceHooks {
    fn link(
        &mut self,
        program: BorrowedFd<'_>,
        hook: Hook,
        direction: LinkDirection,
    ) -> io::Result<Option<OwnedFd>> {
        let index = self.interface_index;
        let link = match (hook, direction) {
            (Hook::Xdp, _) => attach_xdp(program, index)?,
            (Hook::Tcx, LinkDirection::Ingress) => attach_tcx_ingress(program, index)?,
            (Hook::Tcx, LinkDirection::Egress) => attach_tcx_egress(program, index)?,
            (Hook::Clsact, direction) => {
                let clsact = match &mut self.clsact {
                    Some(clsact) => clsact,
                    none => none.insert(Clsact::on(index)?),
                };
                return clsact.attach(direction, program).map(|()| None);
            }
        };
        Ok(Some(link))
    }
}

#[cfg(test)]
mod tests;
