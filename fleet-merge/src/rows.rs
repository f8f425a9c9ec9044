//! The rows of a period by kind: generated from the declarations of [`pktvisor_definitions`], so that
//! a new metric is merged without a line here.

use std::collections::BTreeMap;

use pktvisor_api as api;

/// The rows of a period. Those that are not simply added up are under their paths (`dns.top_qname2`).
#[derive(Debug, Default)]
pub(crate) struct Rows<'a> {
    /// Numbers that add up, in the order of the declarations.
    pub numbers: Vec<u64>,
    pub distinct: BTreeMap<String, u64>,
    pub lists: BTreeMap<String, &'a [api::TopEntry]>,
}

/// The same rows, to write to.
#[derive(Debug, Default)]
pub(crate) struct RowsMut<'a> {
    pub numbers: Vec<&'a mut u64>,
    pub distinct: BTreeMap<String, &'a mut u64>,
    pub quantiles: BTreeMap<String, &'a mut Option<api::Quantiles>>,
    pub lists: BTreeMap<String, &'a mut Vec<api::TopEntry>>,
}

/// A group of rows.
trait RowGroup {
    /// Adds its rows; `path` is that of the group.
    fn read<'a>(&'a self, path: &str, rows: &mut Rows<'a>);

    fn write<'a>(&'a mut self, path: &str, rows: &mut RowsMut<'a>);
}

/// All rows of a period.
pub(crate) fn of(period: &api::Period) -> Rows<'_> {
    let mut rows = Rows::default();
    rows.numbers.push(period.sampling.messages);
    period.packets.read("packets", &mut rows);
    period.dns.read("dns", &mut rows);
    rows
}

/// All rows of a period, to write to.
pub(crate) fn of_mut(period: &mut api::Period) -> RowsMut<'_> {
    let mut rows = RowsMut::default();
    rows.numbers.push(&mut period.sampling.messages);
    period.packets.write("packets", &mut rows);
    period.dns.write("dns", &mut rows);
    rows
}

macro_rules! row_group {
    ($(#[$about:meta])* $path:literal: $report:ident / $record:ident $(, kernel $kernel:ident)? { $(
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: $kind:ident($($of:tt)*) $(=> $family:tt)?;
    )* }) => {
        impl RowGroup for api::$report {
            #[allow(unused_variables, reason = "not every group has paths")]
            fn read<'a>(&'a self, path: &str, rows: &mut Rows<'a>) {
                $(read_row!($kind self.$field, rows, format!("{path}.{}", key!($field $($json)?)));)*
            }

            #[allow(unused_variables, reason = "not every group has paths")]
            fn write<'a>(&'a mut self, path: &str, rows: &mut RowsMut<'a>) {
                $(write_row!($kind self.$field, rows, format!("{path}.{}", key!($field $($json)?)));)*
            }
        }
    };
}

macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $json:literal) => {
        $json
    };
}

macro_rules! read_row {
    (List $row:expr, $rows:ident, $path:expr) => {
        $rows.lists.insert($path, &$row);
    };
    (Distinct $row:expr, $rows:ident, $path:expr) => {
        $rows.distinct.insert($path, $row);
    };
    // Known by their histograms.
    (Quantiles $row:expr, $rows:ident, $path:expr) => {};
    (Times $row:expr, $rows:ident, $path:expr) => {};
    (Sizes $row:expr, $rows:ident, $path:expr) => {
        $rows.numbers.extend($row);
    };
    (Group $row:expr, $rows:ident, $path:expr) => {
        $row.read(&$path, $rows);
    };
    // All others are numbers of packets, messages or bytes, which add up.
    ($number:ident $row:expr, $rows:ident, $path:expr) => {
        $rows.numbers.push($row);
    };
}

macro_rules! write_row {
    (List $row:expr, $rows:ident, $path:expr) => {
        $rows.lists.insert($path, &mut $row);
    };
    (Distinct $row:expr, $rows:ident, $path:expr) => {
        $rows.distinct.insert($path, &mut $row);
    };
    (Quantiles $row:expr, $rows:ident, $path:expr) => {
        $rows.quantiles.insert($path, &mut $row);
    };
    (Times $row:expr, $rows:ident, $path:expr) => {
        $rows.quantiles.insert($path, &mut $row);
    };
    (Sizes $row:expr, $rows:ident, $path:expr) => {
        $rows.numbers.extend(&mut $row);
    };
    (Group $row:expr, $rows:ident, $path:expr) => {
        $row.write(&$path, $rows);
    };
    ($number:ident $row:expr, $rows:ident, $path:expr) => {
        $rows.numbers.push(&mut $row);
    };
}

pktvisor_definitions::packets!(row_group);
pktvisor_definitions::ip_cardinality!(row_group);
pktvisor_definitions::packet_rates!(row_group);
pktvisor_definitions::dns!(row_group);
pktvisor_definitions::dns_messages!(row_group);
pktvisor_definitions::dns_cardinality!(row_group);
pktvisor_definitions::transactions!(row_group);
pktvisor_definitions::transaction_counts!(row_group);
pktvisor_definitions::transaction_direction!(row_group);
pktvisor_definitions::dns_flags!(row_group);
pktvisor_definitions::edns!(row_group);
pktvisor_definitions::reassembly!(row_group);
pktvisor_definitions::dns_in!(row_group);
pktvisor_definitions::dns_out!(row_group);
