//! Why a capture cannot start.

use std::io;

use anyhow::anyhow;
use pktvisor_capture::privileges::{self, KernelFeatures, MissingPrivileges};
use pktvisor_definitions::Mode;

/// Adds the cause if the kernel refuses although the capabilities are there: a container engine's
/// seccomp profile.
pub(super) fn explain_refusal(error: anyhow::Error) -> anyhow::Error {
    let refusal = io::Error::from_raw_os_error(libc::EPERM).to_string();
    let is_refused = error.chain().any(|cause| cause.to_string().contains(&refusal));
    match (is_refused, privileges::Environment::detect()) {
        (false, _) | (_, privileges::Environment::Host) => error,
        (true, _) => anyhow!(
            "{error:#}; the container engine forbids it: run the container with {}",
            privileges::container_flags(&privileges::needed(Mode::Tap, &KernelFeatures::running()))
        ),
    }
}

/// Joins the reasons why neither `inline` nor a packet socket works. A cause that is the same for
/// both appears once, and so does the advice how to grant capabilities.
pub(super) fn both_reasons(inline: anyhow::Error, packet_socket: &anyhow::Error) -> anyhow::Error {
    let missing = |error: &anyhow::Error| error.downcast_ref::<MissingPrivileges>().cloned();
    let (first, second) = (format!("{inline:#}"), format!("{packet_socket:#}"));
    match (missing(&inline), missing(packet_socket)) {
        _ if first == second => inline,
        (Some(_), Some(missing)) => {
            let names: Vec<String> = missing.missing.iter().map(ToString::to_string).collect();
            anyhow!("cannot use a packet socket without {}, and {first}", names.join(", "))
        }
        _ => anyhow!("{first}; a packet socket does not work either: {second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pktvisor_capture::privileges::Capability;

    fn missing(mode: Mode, capability: Capability) -> anyhow::Error {
        let (missing, all, program) = (vec![capability], vec![capability], "/pktvisord".into());
        let environment = privileges::Environment::Host;
        MissingPrivileges { mode, missing, all, program, environment }.into()
    }

    #[test]
    fn two_different_reasons_are_both_named() {
        let error = both_reasons(anyhow!("no BPF"), &anyhow!("no socket"));
        assert_eq!(error.to_string(), "no BPF; a packet socket does not work either: no socket");
    }

    #[test]
    fn the_same_reason_is_named_once() {
        assert_eq!(both_reasons(anyhow!("no file"), &anyhow!("no file")).to_string(), "no file");
    }

    #[test]
    fn missing_capabilities_of_both_come_with_the_advice_once() {
        let inline = missing(Mode::Inline, Capability::CAP_BPF);
        let text = both_reasons(inline, &missing(Mode::AfPacket, Capability::CAP_NET_RAW)).to_string();
        let start = "cannot use a packet socket without CAP_NET_RAW, and cannot capture in inline mode \
                     without CAP_BPF; ";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(text.matches("setcap").count(), 1, "{text}");
    }
}
