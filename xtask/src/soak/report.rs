//! The table at the end, and what it must say.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};

use super::samples::{ProcessSample, Sampler};
use super::{SoakArguments, SoakCounts};

/// What a run found.
pub(super) struct Soaked<'a> {
    pub(super) at_rest: ProcessSample,
    pub(super) after: ProcessSample,
    pub(super) sampler: &'a Sampler,
    pub(super) counts: &'a SoakCounts,
    pub(super) arguments: &'a SoakArguments,
}

impl Soaked<'_> {
    pub(super) fn table(&self) -> String {
        let Self { at_rest, after, sampler, counts, arguments } = self;
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed).to_string();
        let warm = |of: fn(&ProcessSample) -> u64, unit: &str| {
            let (least, most) = sampler.range(of);
            format!("{least} to {most}{unit}")
        };
        let rows = [
            ("time", format!("{} min, warm-up {} min", arguments.minutes, sampler.warm_up.as_secs() / 60)),
            ("packets sent", count(&counts.packets)),
            ("interfaces that came and went", count(&counts.interfaces)),
            ("scrapes", count(&counts.scrapes)),
            ("answers that were not ready in time", count(&counts.late)),
            ("slow and deaf clients", count(&counts.slow_clients)),
            ("of these refused or cut off", count(&counts.refused)),
            ("ledgers read, all balanced", sampler.ledgers.to_string()),
            ("last ledger", sampler.ledger.to_string()),
            ("resident memory at rest, before", format!("{} kB", at_rest.resident_kb)),
            ("resident memory after the warm-up", warm(|sample| sample.resident_kb, " kB")),
            ("its slope", sampler.slope().to_string()),
            (
                "descriptors at rest, before and after",
                format!("{}, {}", at_rest.descriptors, after.descriptors),
            ),
            ("descriptors under load", warm(|sample| sample.descriptors, "")),
            ("threads at rest, before and after", format!("{}, {}", at_rest.threads, after.threads)),
            ("most threads in the warm-up", sampler.most_threads_in_warm_up().to_string()),
            ("threads under load", warm(|sample| sample.threads, "")),
        ];
        let mut table = String::from("| soak | |\n|---|---|\n");
        for (name, value) in rows {
            let _ = writeln!(table, "| {name} | {value} |");
        }
        table
    }

    pub(super) fn judge(&self) -> Result<()> {
        let Self { at_rest, after, sampler, arguments, .. } = self;
        let (slope, limit) = (sampler.slope(), arguments.slope_limit);
        ensure!(
            slope.kb_per_minute <= limit,
            "memory grows by more than {limit} kB a minute ({slope}); a longer run has a smaller error"
        );
        ensure!(
            after.descriptors <= at_rest.descriptors,
            "{} descriptors are left, {} before",
            after.descriptors,
            at_rest.descriptors
        );
        // The server keeps the threads that made answers.
        let most = sampler.most_threads_in_warm_up();
        ensure!(after.threads <= most, "{} threads, at most {most} in the warm-up", after.threads);
        Ok(())
    }
}
