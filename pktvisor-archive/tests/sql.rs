//! The views of deploy/sql have every metric. `UPDATE_GOLDEN=1 cargo test -p pktvisor-archive --test sql` writes them.

use std::fmt::Write;
use std::path::Path;

use pktvisor_archive::{LAYOUT, SketchColumn};

const BEGIN: &str = "-- begin of the views that a test makes from the declarations of the metrics\n";
const END: &str = "-- end of these views\n";

/// The columns of every view that say which period a row is of.
const SPAN: &str = "agent, period_start, period_end";

/// The generated views, in the dialect that all engines share.
fn views(create: &str) -> String {
    let mut text = format!(
        "{create} fleet_counters as select\n    min(period_start) as period_start, max(period_end) as period_end,\n    \
         count(distinct agent) as agents"
    );
    for counter in &LAYOUT.counters {
        let _ = write!(text, ",\n    sum({name}) as {name}", name = counter.name);
    }
    text += "\nfrom pktvisor;\n\n";
    let union = |name: &str, branches: Vec<String>| {
        format!("{create} {name} as\n{};\n\n", branches.join("\nunion all "))
    };
    text += &union("pktvisor_histograms", LAYOUT.histograms.iter().map(of_histogram).collect());
    text += &union("pktvisor_distinct", LAYOUT.distinct.iter().map(of_distinct).collect());
    text
}

fn of_histogram(SketchColumn { name, path }: &SketchColumn) -> String {
    format!(
        "select '{path}' as metric, {SPAN}, {name}_scale as scale, {name}_zero as zero, {name}_count as total, \
         {name}_sum as value_sum, {name}_buckets as buckets from pktvisor"
    )
}

fn of_distinct(SketchColumn { name, path }: &SketchColumn) -> String {
    format!("select '{path}' as metric, {SPAN}, {name} as image from pktvisor")
}

#[test]
fn the_views_have_every_metric() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sql");
    for (file, create) in [
        ("duckdb.sql", "create or replace view"),
        ("clickhouse.sql", "create or replace view"),
        ("spark.sql", "create or replace temporary view"),
    ] {
        let path = directory.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let expected = format!("{before}{BEGIN}{}{END}{after}", views(create));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, expected).unwrap();
        } else {
            assert!(text == expected, "{file} does not fit the declarations of the metrics");
        }
    }
}
