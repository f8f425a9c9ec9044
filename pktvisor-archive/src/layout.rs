//! The columns of an archive file, made from the declarations of the metrics.
//!
//! A column is named by the path of its metric in a period: `dns.in.top_clients` is
//! `dns_in_top_clients`. So a metric that is added gets its columns by its declaration.

use std::fmt::Write;
use std::sync::LazyLock;

use pktvisor_definitions::{Exactness, GROUPS, Kind};

/// The classes of `packets.sizes`, in the order of its array.
const SIZE_CLASSES: [&str; 7] =
    ["below_64", "below_128", "below_256", "below_512", "below_1024", "below_1519", "from_1519"];

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterColumn {
    /// The column.
    pub name: String,
    /// Its place in the JSON of a period, as a JSON pointer (RFC 6901).
    pub pointer: String,
}

/// A distinct count or a histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SketchColumn {
    /// The column, or what the names of its columns begin with.
    pub name: String,
    /// Its path in a period.
    pub path: String,
}

/// A top list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListColumn {
    /// Its path in a period, which names it in the column of all lists.
    pub path: String,
    /// The JSON pointer of a number that no count in it exceeds.
    pub total_pointer: &'static str,
}

/// All columns that hold metrics.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Numbers that add up.
    pub counters: Vec<CounterColumn>,
    /// Histograms.
    pub histograms: Vec<SketchColumn>,
    /// Distinct counts.
    pub distinct: Vec<SketchColumn>,
    /// Top lists.
    pub lists: Vec<ListColumn>,
}

/// The layout of this version.
pub static LAYOUT: LazyLock<Layout> = LazyLock::new(Layout::from_declarations);

impl Layout {
    fn from_declarations() -> Self {
        let mut layout =
            Self { counters: Vec::new(), histograms: Vec::new(), distinct: Vec::new(), lists: Vec::new() };
        for group in GROUPS {
            for metric in group.metrics {
                let path = format!("{}.{}", group.path, metric.key);
                let name = column_name(&path);
                match (metric.kind, metric.class) {
                    (Kind::Number, Exactness::Distinct) => {
                        layout.distinct.push(SketchColumn { name: format!("{name}_hll"), path });
                    }
                    (Kind::Number, _) => {
                        layout.counters.push(CounterColumn { name, pointer: pointer(&path) });
                    }
                    (Kind::Numbers, _) => {
                        for (index, class) in SIZE_CLASSES.iter().enumerate() {
                            let pointer = format!("{}/{index}", pointer(&path));
                            layout.counters.push(CounterColumn { name: format!("{name}_{class}"), pointer });
                        }
                    }
                    (Kind::Quantiles, _) => layout.histograms.push(SketchColumn { name, path }),
                    (Kind::List, _) => {
                        let total_pointer = total_pointer(metric.unit);
                        layout.lists.push(ListColumn { path, total_pointer });
                    }
                    // Its metrics are rows of another group.
                    (Kind::Group, _) => {}
                }
            }
        }
        let pointer = "/sampling/messages".to_owned();
        layout.counters.push(CounterColumn { name: "sampling_messages".to_owned(), pointer });
        layout
    }

    /// The schema of a file, in the notation of the Parquet format.
    pub fn message_type(&self) -> String {
        let mut text = String::from(
            "message pktvisor {\n\
             REQUIRED BYTE_ARRAY agent (STRING);\n\
             REQUIRED INT64 id;\n\
             REQUIRED INT64 period_start (TIMESTAMP(MICROS,true));\n\
             REQUIRED INT64 period_end (TIMESTAMP(MICROS,true));\n\
             REQUIRED DOUBLE length_s;\n\
             REQUIRED group sources (LIST) { REPEATED group list { REQUIRED INT64 element; } }\n",
        );
        for CounterColumn { name, .. } in &self.counters {
            let _ = writeln!(text, "REQUIRED INT64 {name};");
        }
        for SketchColumn { name, .. } in &self.histograms {
            let _ = writeln!(
                text,
                "REQUIRED INT32 {name}_scale (INTEGER(8,true));\n\
                 REQUIRED INT64 {name}_zero;\n\
                 REQUIRED INT64 {name}_count;\n\
                 REQUIRED DOUBLE {name}_sum;\n\
                 REQUIRED group {name}_buckets (LIST) {{ REPEATED group list {{ REQUIRED group element {{ \
                 REQUIRED INT32 index; REQUIRED INT64 count; }} }} }}",
            );
        }
        for SketchColumn { name, .. } in &self.distinct {
            let _ = writeln!(text, "OPTIONAL BYTE_ARRAY {name};");
        }
        // In one column: the footer of a file with four columns for each list would be larger than
        // the rest of it.
        text.push_str(
            "REQUIRED group lists (LIST) { REPEATED group list { REQUIRED group element {\n\
             REQUIRED BYTE_ARRAY list (STRING);\n\
             REQUIRED INT64 absent_upper;\n\
             REQUIRED group entries (LIST) { REPEATED group list { REQUIRED group element { \
             REQUIRED BYTE_ARRAY name (STRING); REQUIRED INT64 estimate; REQUIRED INT64 lower; \
             REQUIRED INT64 upper; } } }\n\
             } } }\n\
             }\n",
        );
        text
    }
}

/// The number of everything that has this unit, or more.
fn total_pointer(unit: &str) -> &'static str {
    match unit {
        "packets" => "/packets/total",
        "bytes" => "/packets/bytes_total",
        _ => "/dns/wire_packets/total",
    }
}

fn column_name(path: &str) -> String {
    path.replace('.', "_").to_ascii_lowercase()
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

#[cfg(test)]
mod tests;
