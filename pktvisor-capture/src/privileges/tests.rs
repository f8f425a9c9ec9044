//! Which capabilities each kernel needs, and the text of the error.

use caps::Capability;
use pktvisor_definitions::Mode;

use super::environment::Environment;
use super::features::KernelFeatures;
use super::give_up::Keep;
use super::need::keep_of;
use super::need::{MissingPrivileges, needed};

const NEW: KernelFeatures = KernelFeatures { version: (6, 18), unprivileged_bpf_disabled: true };
const OLD: KernelFeatures = KernelFeatures { version: (5, 10), unprivileged_bpf_disabled: true };
const OLDER: KernelFeatures = KernelFeatures { version: (5, 4), unprivileged_bpf_disabled: false };

#[test]
fn a_packet_socket_needs_one_capability_on_every_kernel() {
    for kernel in [NEW, OLD, OLDER] {
        assert_eq!(needed(Mode::AfPacket, &kernel), [Capability::CAP_NET_RAW]);
        assert_eq!(keep_of(Mode::AfPacket, &kernel, |_| true), Keep::default());
    }
}

#[test]
fn before_there_was_a_capability_for_bpf_it_takes_the_one_for_everything() {
    use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON, CAP_SYS_ADMIN};
    assert_eq!(needed(Mode::Inline, &NEW), [CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN]);
    assert_eq!(needed(Mode::Tap, &OLD), [CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW]);
    assert_eq!(needed(Mode::Inline, &OLDER), [CAP_SYS_ADMIN, CAP_NET_ADMIN]);
}

#[test]
fn the_attaching_thread_keeps_its_capabilities_and_others_only_those_that_guard_maps() {
    use Capability::{CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON};
    let four = |capability| [CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW, CAP_PERFMON].contains(&capability);
    let inline = Keep { everywhere: vec![], here: vec![CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN] };
    assert_eq!(keep_of(Mode::Inline, &NEW, four), inline);
    assert_eq!(keep_of(Mode::Inline, &OLD, four), Keep { everywhere: vec![CAP_BPF], ..inline });
    let tap = vec![CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW];
    assert_eq!(keep_of(Mode::Tap, &NEW, four), Keep { everywhere: vec![], here: tap });
}

#[test]
fn a_capability_held_as_part_of_sys_admin_is_kept_as_sys_admin() {
    use Capability::{CAP_NET_ADMIN, CAP_SYS_ADMIN};
    let granted = |capability| [CAP_SYS_ADMIN, CAP_NET_ADMIN].contains(&capability);
    let expected = Keep { everywhere: vec![CAP_SYS_ADMIN], here: vec![CAP_SYS_ADMIN, CAP_NET_ADMIN] };
    assert_eq!(keep_of(Mode::Inline, &OLD, granted), expected);
}

#[test]
fn a_container_is_known_by_the_marks_of_its_engine() {
    let root = std::env::temp_dir().join(format!("pktvisor-place-{}", std::process::id()));
    let with = |file: &str, text: &str, variable: &str| {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let environment = Environment::of(&root, |name| name == variable);
        std::fs::remove_dir_all(&root).unwrap();
        environment
    };
    for file in [".dockerenv", "run/.containerenv", "run/systemd/container"] {
        assert_eq!(with(file, "", ""), Environment::Container, "{file}");
    }
    let groups = "0::/system.slice/docker-0123.scope\n";
    assert_eq!(with("proc/1/cgroup", groups, ""), Environment::Container);
    assert_eq!(with("proc/1/cgroup", "0::/init.scope\n", ""), Environment::Host);
    assert_eq!(with("proc/1/cgroup", "", "container"), Environment::Container);
    assert_eq!(with(".dockerenv", "", "KUBERNETES_SERVICE_HOST"), Environment::Kubernetes);
}

#[test]
fn in_a_container_the_error_names_the_flags_also_of_engines_that_do_not_know_bpf() {
    let text = |environment| {
        let (missing, all) = (vec![Capability::CAP_BPF], needed(Mode::Tap, &NEW));
        let program = "/pktvisord".into();
        MissingPrivileges { mode: Mode::Inline, missing, all, program, environment }.to_string()
    };
    let container = "cannot capture in inline mode without CAP_BPF; run the container with --cap-add BPF --cap-add PERFMON \
                     --cap-add NET_ADMIN --cap-add NET_RAW; or, where the engine does not know BPF (Docker 20.10): \
                     --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add NET_RAW; run as root, or grant";
    assert!(text(Environment::Container).starts_with(container), "{}", text(Environment::Container));
    let kubernetes = text(Environment::Kubernetes);
    assert!(kubernetes.contains("capabilities.add: [BPF, PERFMON, NET_ADMIN, NET_RAW]"), "{kubernetes}");
    assert!(kubernetes.contains("[SYS_ADMIN, NET_ADMIN, NET_RAW] where BPF"), "{kubernetes}");
}

#[test]
fn the_error_names_missing_capabilities_and_how_to_grant_them() {
    let error = MissingPrivileges {
        mode: Mode::Inline,
        missing: vec![Capability::CAP_BPF, Capability::CAP_NET_ADMIN],
        all: needed(Mode::Tap, &NEW),
        program: "/usr/bin/pktvisord".into(),
        environment: Environment::Host,
    };
    assert_eq!(
        error.to_string(),
        "cannot capture in inline mode without CAP_BPF, CAP_NET_ADMIN; run as root, or grant what is needed, once: \
         setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep /usr/bin/pktvisord; or in the systemd unit: \
         AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_NET_RAW"
    );
}
