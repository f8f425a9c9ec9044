//! Loads the programs and runs them on packets.

use aya::programs::{TestRun, TestRunOptions};
use pktvisor_capture::kernel::{EntryPoint, KernelPrograms, Loaded, ProgramSettings, object};

/// Loads the embedded object, or another one, to try it without building the agent again. Prints
/// why the test is skipped if that is impossible.
pub(crate) fn load(settings: &ProgramSettings) -> Option<Loaded> {
    let given = std::env::var_os("PKTVISOR_TEST_BPF_OBJECT").map(|path| std::fs::read(path).unwrap());
    let Some(object) = given.as_deref().or(object::embedded()) else {
        println!("skipped: the agent was built without kernel programs (cargo xtask build-ebpf)");
        return None;
    };
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: loading kernel programs needs root");
        return None;
    }
    Some(KernelPrograms::load(object, settings).unwrap())
}

/// The return value of a program for a packet; `None` if the kernel does not accept such a packet
/// for a test.
pub(crate) fn run(programs: &mut KernelPrograms, entry: EntryPoint, packet: &[u8]) -> Option<u32> {
    let options = TestRunOptions { data_in: Some(packet), ..TestRunOptions::default() };
    let result = match entry {
        EntryPoint::Xdp | EntryPoint::Tap | EntryPoint::Nothing => {
            programs.xdp(entry).unwrap().test_run(options)
        }
        _ => programs.classifier(entry).unwrap().test_run(options),
    };
    Some(result.ok()?.return_value)
}
