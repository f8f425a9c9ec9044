//! What has become of the periods that are archived. Without `--archive` there are no such families.

use metric_families::{FamilyKind, MetricFamily};
use pktvisor_api::ArchiveInfo;

use super::single;

/// The families.
pub(super) fn families(archive: &ArchiveInfo) -> [MetricFamily; 5] {
    let ArchiveInfo { written, written_bytes, waiting, given_up, failures, .. } = *archive;
    let counter = |name, help, value: u64| single(name, FamilyKind::Counter, help, value);
    [
        counter("pktvisor_archive_files", "Files written to the archive.", written),
        counter("pktvisor_archive_bytes", "Bytes in the files written to the archive.", written_bytes),
        counter("pktvisor_archive_failures", "Attempts to write to the archive that failed.", failures),
        counter(
            "pktvisor_archive_given_up_periods",
            "Periods that are not archived because the store was away for too long.",
            given_up,
        ),
        single(
            "pktvisor_archive_waiting_files",
            FamilyKind::Gauge,
            "Files that wait to be written to the archive.",
            waiting,
        ),
    ]
}
