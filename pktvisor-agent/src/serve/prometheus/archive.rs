//! What has become of the periods that are archived. Without `--archive` there are no such families.

use pktvisor_api::ArchiveInfo;

use super::writer::{Exposition, FamilyKind};

/// Writes the families.
pub(super) fn families(out: &mut Exposition, archive: Option<&ArchiveInfo>) {
    let Some(archive) = archive else { return };
    let ArchiveInfo { written, written_bytes, waiting, given_up, failures, .. } = *archive;
    for (name, help, value) in [
        ("pktvisor_archive_files_total", "Files written to the archive.", written),
        ("pktvisor_archive_bytes_total", "Bytes in the files written to the archive.", written_bytes),
        ("pktvisor_archive_failures_total", "Attempts to write to the archive that failed.", failures),
        (
            "pktvisor_archive_given_up_periods_total",
            "Periods that are not archived because the store was away for too long.",
            given_up,
        ),
    ] {
        out.single(name, FamilyKind::Counter, help, value);
    }
    let help = "Files that wait to be written to the archive.";
    out.single("pktvisor_archive_waiting_files", FamilyKind::Gauge, help, waiting);
}
