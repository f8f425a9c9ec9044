//! Whether the verifier accepts the programs.

use pktvisor_capture::kernel::{EntryPoint, ProgramSettings};

use crate::support;

#[test]
fn every_program_passes_the_verifier() {
    let Some(mut loaded) = support::load(&ProgramSettings::default()) else { return };
    for entry in EntryPoint::ALL {
        let begun = std::time::Instant::now();
        loaded.programs.fd(entry).unwrap_or_else(|error| panic!("{entry:?}: {error:?}"));
        let info = match entry {
            EntryPoint::Xdp | EntryPoint::Tap | EntryPoint::Nothing => {
                loaded.programs.xdp(entry).unwrap().info()
            }
            _ => loaded.programs.classifier(entry).unwrap().info(),
        };
        println!(
            "{entry:?}: {:?} instructions verified in {:?}, {} bytes native",
            info.as_ref().unwrap().verified_instruction_count(),
            begun.elapsed(),
            info.as_ref().unwrap().size_jitted(),
        );
    }
}

#[test]
fn a_file_that_is_no_object_is_refused_with_a_reason() {
    let error = pktvisor_capture::kernel::KernelPrograms::load(b"nonsense", &ProgramSettings::default())
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "cannot load the kernel programs");
}
