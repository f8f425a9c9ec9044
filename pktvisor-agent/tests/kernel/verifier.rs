//! The verdict of the kernel on the object.

use pktvisor_capture::kernel::{Entry, Settings};

use crate::support;

#[test]
fn every_program_passes_the_verifier() {
    let Some(mut loaded) = support::load(&Settings::default()) else { return };
    for entry in Entry::ALL {
        let begun = std::time::Instant::now();
        loaded.kernel.fd(entry).unwrap_or_else(|error| panic!("{entry:?}: {error:?}"));
        let info = match entry {
            Entry::Xdp | Entry::Tap | Entry::Nothing => loaded.kernel.xdp(entry).unwrap().info(),
            _ => loaded.kernel.classifier(entry).unwrap().info(),
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
fn a_file_without_programs_is_refused_with_a_reason() {
    let error = pktvisor_capture::kernel::Kernel::load(b"nonsense", &Settings::default()).err().unwrap();
    assert_eq!(error.to_string(), "cannot load the kernel programs");
}
