//! Loads the programs and runs them on packets.

use aya::programs::{TestRun, TestRunOptions};
use pktvisor_capture::kernel::{EntryPoint, KernelPrograms, Loaded, ProgramSettings, object};

/// Loads the embedded object, or the one in `PKTVISOR_TEST_BPF_OBJECT`, which saves building the
/// agent again. Prints why the test is skipped if neither can be loaded.
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

/// What a program returns for a packet; `None` if the kernel rejects such a packet for a test run.
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
