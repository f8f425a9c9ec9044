//! Names and sizes of queries.

use super::*;
use crate::name::Name;

/// A name of these labels.
fn name(labels: &[&str]) -> Name {
    let mut wire = Vec::new();
    for label in labels {
        wire.push(label.len() as u8);
        wire.extend(label.bytes());
    }
    wire.push(0);
    let mut name = Name::default();
    name.read(&wire, 0).expect("a good name");
    name
}

/// Opens a query of client 1 with this id and name.
fn ask(table: &mut Transactions, id: u16, name: Option<&Name>) {
    let exchange = Exchange::of_query(&flow(1), id);
    assert_eq!(table.query(&exchange, question(u64::from(id)), at(0)), QueryOutcome::Opened);
    table.describe(name, 40 + usize::from(id));
}

/// The queries that have timed out: name, whether it is cut, and the server.
fn timed_out(table: &mut Transactions, ns: u64) -> Vec<(Option<(String, bool)>, String)> {
    let mut found = Vec::new();
    table.advance_reporting(at(ns), |query| {
        let mut name = Name::default();
        let stored = query.name.map(|stored| stored.read(&mut name));
        let server: std::net::IpAddr = query.addresses.destination().into();
        found.push((stored.map(|is_cut| (name.to_string(), is_cut)), server.to_string()));
    });
    found
}

#[test]
fn a_query_that_times_out_has_its_name_and_addresses() {
    let mut table = Transactions::default();
    ask(&mut table, 1, Some(&name(&["www", "example", "com"])));
    ask(&mut table, 2, None);
    ask(&mut table, 3, Some(&Name::default()));
    assert_eq!(timed_out(&mut table, 5 * SECOND), []);
    let server = "198.51.100.53".to_owned();
    let whole = |name: &str| (Some((name.to_owned(), false)), server.clone());
    assert_eq!(
        timed_out(&mut table, 5 * SECOND + 1),
        [whole("www.example.com"), (None, server.clone()), whole(".")]
    );
    assert_eq!(timed_out(&mut table, 9 * SECOND), [], "each is reported once");
    assert_eq!(table.take_counts().timed_out, 3);
}

#[test]
fn of_a_long_name_the_last_labels_are_kept() {
    let long = "a".repeat(40);
    let mut table = Transactions::default();
    // 95 octets and 96.
    ask(&mut table, 1, Some(&name(&["bbb", &long, &long, "example"])));
    ask(&mut table, 2, Some(&name(&["bbbb", &long, &long, "example"])));
    let names: Vec<_> = timed_out(&mut table, 6 * SECOND).into_iter().map(|(name, _)| name).collect();
    let end = format!("{long}.{long}.example");
    assert_eq!(names, [Some((format!("bbb.{end}"), false)), Some((end, true))]);
}

#[test]
fn the_size_of_the_first_query_is_reported_with_its_response() {
    let mut table = Transactions::default();
    ask(&mut table, 7, None);
    let repeated = table.query(&Exchange::of_query(&flow(1), 7), question(7), at(1));
    assert_eq!(repeated, QueryOutcome::Retransmitted);
    let outcome = respond(&mut table, question(7), 2);
    assert!(matches!(outcome, ResponseOutcome::Answered { query_bytes: 47, .. }), "{outcome:?}");
}

#[test]
fn a_reused_entry_has_no_old_name() {
    let mut table = Transactions::default();
    ask(&mut table, 7, Some(&name(&["old"])));
    respond(&mut table, question(7), 1);
    table.query(&Exchange::of_query(&flow(2), 8), question(8), at(2));
    assert_eq!(timed_out(&mut table, 6 * SECOND)[0].0, None);
}
