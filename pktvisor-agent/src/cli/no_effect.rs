//! Warnings about options that have no effect on the given target or in the given mode.

use pktvisor_archive::ArchiveLocation;
use pktvisor_definitions::Mode;
use pktvisor_otlp::CollectorEndpoint;

use super::arguments::Arguments;
use super::target::Target;

/// Adds a warning for each option that is given without effect.
pub(super) fn warn_of_options_without_effect(
    arguments: &Arguments,
    archive: Option<&ArchiveLocation>,
    collector: Option<&CollectorEndpoint>,
    target: &Target,
    warnings: &mut Vec<String>,
) {
    let for_files = [
        ("--summary", arguments.summary, "an interface has no end; window/N merges its newest N periods"),
        ("--serve", arguments.serve, "an interface is always served"),
        ("--host-auto", arguments.host_auto, "the addresses of an interface are HOST"),
        ("--pace", arguments.pace.is_some(), "packets of an interface arrive at their own pace"),
    ];
    for (option, is_given, because) in for_files {
        if is_given && target.is_live() {
            warnings.push(format!("{option} is for capture files, ignored: {because}"));
        }
    }
    let for_interfaces = [
        ("--ignore-own-port", arguments.ignore_own_port),
        ("--mode", arguments.mode.is_some()),
        ("--hook", arguments.hook.is_some()),
        ("--force", arguments.force),
        ("--busy-drain", arguments.busy_drain),
        ("--cpu-budget", arguments.cpu_budget.is_some()),
        ("--bpf-object", arguments.bpf_object.is_some()),
        ("--archive-keep", arguments.archive_keep.is_some()),
    ];
    for (option, is_given) in for_interfaces {
        if is_given && !target.is_live() {
            warnings.push(format!("{option} is for interfaces, ignored for a capture file"));
        }
    }
    if arguments.archive_keep.is_some()
        && target.is_live()
        && matches!(archive, Some(ArchiveLocation::ObjectStore(_)))
    {
        warnings.push(
            "--archive-keep is for directories, ignored: an object store has lifecycle rules".to_owned(),
        );
    }
    if arguments.otlp_ca.is_some() && collector.is_some_and(|endpoint| !endpoint.is_secure()) {
        warnings.push("--otlp-ca is ignored: the collector's URL is not https://".to_owned());
    }
    let mode = arguments.mode.map(Mode::from);
    if let Some(mode @ (Mode::Tap | Mode::AfPacket)) = mode
        && arguments.hook.is_some()
        && target.is_live()
    {
        warnings
            .push(format!("--hook is for inline mode, ignored in {} mode, which has one hook", mode.name()));
    }
    if arguments.threads.is_some() && target.is_live() && mode == Some(Mode::AfPacket) {
        warnings.push("--threads is ignored in afpacket mode, which has one".to_owned());
    }
    if arguments.busy_drain && mode == Some(Mode::AfPacket) {
        warnings
            .push("--busy-drain is ignored in afpacket mode, where the kernel wakes the agent".to_owned());
    }
    warn_of_server_options(arguments, target, warnings);
}

fn warn_of_server_options(arguments: &Arguments, target: &Target, warnings: &mut Vec<String>) {
    let for_server = [
        ("-l", arguments.listen.is_some()),
        ("-p", arguments.port.is_some()),
        ("--allow-host", !arguments.allowed_hosts.is_empty()),
        ("--tls-cert", arguments.tls_cert.is_some()),
        ("--auth-token-file", arguments.auth_token_file.is_some()),
        ("--allow-packets", arguments.allow_packets),
        ("--allow-origin", !arguments.allowed_origins.is_empty()),
        ("--label", !arguments.labels.is_empty() && arguments.otlp_endpoint.is_none()),
    ];
    for (option, is_given) in for_server {
        if is_given && !target.is_live() && !arguments.serve {
            warnings.push(format!("{option} has no effect on a capture file without --serve"));
        }
    }
}
