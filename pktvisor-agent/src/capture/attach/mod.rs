//! Puts the kernel programs where an interface's packets pass: native XDP or tcx on the way in, tcx on the way out.
//!
//! Links are held by file descriptor: whatever happens to the agent, the kernel takes the programs off again. Below
//! Linux 6.6 there is no tcx; filters of a clsact qdisc take its place, which outlive their maker.

mod hook;

use aya::programs::tc::SchedClassifierLink;
use aya::programs::xdp::XdpLink;
use aya::programs::{TcAttachType, XdpMode};
pub use hook::{Hook, Refusal};

use super::interfaces::{Hardware, Interface};
use super::kernel::{Entry, Kernel, KernelError};

/// Why nothing could be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// No hook on the way in takes our program.
    #[error("cannot attach to {interface} on the way in ({refusals})")]
    Ingress {
        /// Its name.
        interface: String,
        /// What was tried, and what the kernel said.
        refusals: String,
    },
    /// The hook on the way out does not take our program.
    #[error("cannot attach to {interface} on the way out ({refusal})")]
    Egress {
        /// Its name.
        interface: String,
        /// What the kernel said.
        refusal: Refusal,
    },
    /// We do not know what its packets look like.
    #[error("cannot capture from {interface}: links of hardware type {number} are not supported")]
    Hardware {
        /// Its name.
        interface: String,
        /// `ARPHRD_...`
        number: u16,
    },
    /// The kernel refuses the program itself.
    #[error(transparent)]
    Kernel(#[from] KernelError),
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
    /// Where packets are seen on the way out; `None` where all of them come in again (loopback).
    pub egress: Option<Hook>,
    /// What was tried before, one sentence each.
    pub notes: Vec<String>,
    /// Never read: they detach when dropped.
    _links: Vec<Link>,
}

/// What detaches a program when it is dropped.
#[derive(Debug)]
enum Link {
    Xdp(#[expect(dead_code, reason = "held for its drop")] XdpLink),
    Classifier(#[expect(dead_code, reason = "held for its drop")] SchedClassifierLink),
}

/// Attaches the programs of `kernel` to `interface`, each to the best hook that takes it. Packets are never changed or
/// held up.
///
/// # Errors
///
/// One of the two ways is left without a hook; nothing stays attached then.
pub fn attach(kernel: &mut Kernel, interface: &Interface) -> Result<Attached, AttachError> {
    let name = || interface.name.clone();
    let (ingress, egress) = match interface.hardware {
        Hardware::Ethernet => (Entry::TcIngress, Some(Entry::TcEgress)),
        // What goes out comes in again.
        Hardware::Loopback => (Entry::TcIngress, None),
        Hardware::Ip => (Entry::TcIngressRaw, Some(Entry::TcEgressRaw)),
        Hardware::Other(number) => return Err(AttachError::Hardware { interface: name(), number }),
    };
    let mut refusals = Vec::new();
    let way_in = match attach_xdp(kernel, interface) {
        Ok(link) => Some((Hook::Xdp, link)),
        Err(refusal) => {
            refusals.extend(refusal);
            None
        }
    };
    let (hook, link) = match way_in {
        Some(way_in) => way_in,
        None => match attach_classifier(kernel, interface, ingress, TcAttachType::Ingress) {
            Ok(way_in) => way_in,
            Err(refusal) => {
                refusals.push(refusal);
                return Err(AttachError::Ingress { interface: name(), refusals: hook::listed(&refusals) });
            }
        },
    };
    let notes =
        refusals.iter().map(|refusal| format!("{}: {refusal}; {hook} is used instead", name())).collect();
    let mut links = vec![link];
    let egress = match egress {
        None => None,
        Some(entry) => {
            let (hook, link) = attach_classifier(kernel, interface, entry, TcAttachType::Egress)
                .map_err(|refusal| AttachError::Egress { interface: name(), refusal })?;
            links.push(link);
            Some(hook)
        }
    };
    Ok(Attached { interface: name(), index: interface.index, ingress: hook, egress, notes, _links: links })
}

/// Native XDP, where the driver has it and nobody else holds it. `Err(None)`: not worth a try.
fn attach_xdp(kernel: &mut Kernel, interface: &Interface) -> Result<Link, Option<Refusal>> {
    if interface.hardware != Hardware::Ethernet {
        return Err(None);
    }
    let refused = |error| Some(Refusal::new(Hook::Xdp, error));
    let program = kernel.xdp(Entry::Xdp).map_err(|error| Some(Refusal::of_kernel(Hook::Xdp, error)))?;
    let id = program.attach_to_if_index(interface.index, XdpMode::Driver).map_err(refused)?;
    program.take_link(id).map(Link::Xdp).map_err(refused)
}

/// tcx, or clsact on kernels without it.
fn attach_classifier(
    kernel: &mut Kernel,
    interface: &Interface,
    entry: Entry,
    way: TcAttachType,
) -> Result<(Hook, Link), Refusal> {
    let hook = hook::classifier_hook();
    let refused = |error| Refusal::new(hook, error);
    let program = kernel.classifier(entry).map_err(|error| Refusal::of_kernel(hook, error))?;
    if hook == Hook::Clsact {
        hook::prepare_clsact(&interface.name, way, entry.name())
            .map_err(|error| Refusal::of_io(hook, error))?;
    }
    let id = program.attach(&interface.name, way).map_err(refused)?;
    let link = program.take_link(id).map_err(refused)?;
    Ok((hook, Link::Classifier(link)))
}
