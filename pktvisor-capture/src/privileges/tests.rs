//! What is needed on which kernel, and how it is told.

use caps::Capability;

use super::{Keep, Kernel, MissingPrivileges, Work, keep, needed};

const NEW: Kernel = Kernel { version: (6, 18), unprivileged_bpf_disabled: true };
const OLD: Kernel = Kernel { version: (5, 10), unprivileged_bpf_disabled: true };
const OLDER: Kernel = Kernel { version: (5, 4), unprivileged_bpf_disabled: false };

#[test]
fn a_packet_socket_needs_one_capability_on_every_kernel() {
    for kernel in [NEW, OLD, OLDER] {
        assert_eq!(needed(Work::AfPacket, &kernel), [Capability::CAP_NET_RAW]);
        assert_eq!(keep(Work::AfPacket, &kernel, true, true), Keep::default());
    }
}

#[test]
fn before_there_was_a_capability_for_bpf_it_takes_the_one_for_everything() {
    use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN};
    assert_eq!(needed(Work::Inline, &NEW), [CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN]);
    assert_eq!(needed(Work::Tap, &OLD), [CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW]);
    assert_eq!(needed(Work::Inline, &OLDER), [CAP_SYS_ADMIN, CAP_NET_ADMIN]);
}

#[test]
fn nothing_is_kept_but_for_interfaces_to_come_and_kernels_that_guard_maps() {
    use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON};
    assert_eq!(keep(Work::Inline, &NEW, false, false), Keep::default());
    let follows = keep(Work::Inline, &NEW, true, false);
    assert_eq!(follows, Keep { everywhere: vec![], here: vec![CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN] });
    let guarded = keep(Work::Inline, &OLD, false, true);
    assert_eq!(guarded, Keep { everywhere: vec![CAP_BPF], here: vec![CAP_NET_ADMIN] });
}

#[test]
fn the_error_names_what_is_missing_and_how_to_grant_it() {
    let error = MissingPrivileges {
        work: Work::Inline,
        missing: vec![Capability::CAP_BPF, Capability::CAP_NET_ADMIN],
        all: needed(Work::Tap, &NEW),
        program: "/usr/bin/pktvisord".into(),
    };
    assert_eq!(
        error.to_string(),
        "cannot capture in inline mode without CAP_BPF, CAP_NET_ADMIN; run as root, or grant what is needed, once: \
         setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep /usr/bin/pktvisord; or in the systemd unit: \
         AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_NET_RAW"
    );
}
