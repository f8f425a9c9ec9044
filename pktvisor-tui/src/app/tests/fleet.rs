//! Tests of keys on the page of the fleet, and of the pages that its agents are asked for.

use super::*;

#[test]
fn the_fleet_sorts_and_filters_and_the_cursor_stays_on_its_agent() {
    let mut app = app(&["ns1.a", "ns2.b", "ns3.a"]);
    press(&mut app, "↓");
    assert_eq!(app.selected(), 1);
    press(&mut app, "s");
    assert_eq!((app.fleet_order(), app.selected()), (vec![2, 1, 0], 1));
    press(&mut app, "/.a");
    assert_eq!((app.fleet_order(), app.selected()), (vec![2, 0], 2));
}

#[test]
fn the_whole_fleet_is_the_first_row_and_opens_like_an_agent() {
    let mut app = app(&["ns1", "ns2"]);
    assert_eq!(app.fleet_order(), [0, 1]);
    let union = Union::of(&app.union_parts());
    assert_eq!((union.agents.counters_only, union.agents.whole), (2, 0));
    app.update_fleet(union);
    assert_eq!((app.fleet_order(), app.selected()), (vec![2, 0, 1], 0));
    press(&mut app, "↑⏎");
    let window = app.agent().and_then(|agent| agent.window.as_ref()).expect("there is a union");
    assert_eq!((app.page, window.dns.wire_packets.queries), (Page::Overview, 3));
    assert!(app.wanted(0).in_union && !app.wanted(0).in_detail);
    press(&mut app, "n");
    assert_eq!(app.agent().map(|agent| agent.label.as_str()), Some("ns1"));
    assert!(!app.wanted(0).in_union);
    press(&mut app, "N");
    assert!(app.is_whole_fleet(app.selected()));
    press(&mut app, "8/ns2");
    assert_eq!((app.fleet_order(), app.selected()), (vec![1], 1));
}

#[test]
fn one_agent_is_not_asked_for_a_union() {
    let app = app(&["ns1"]);
    assert!(!app.shows_union() && !app.wanted(0).in_union);
}

#[test]
fn only_the_agent_on_the_screen_is_asked_in_detail() {
    let mut app = app(&["ns1", "ns2"]);
    assert!(!app.wanted(0).in_detail);
    press(&mut app, "7");
    assert!(app.wanted(0).in_detail && !app.wanted(1).in_detail);
    press(&mut app, "n");
    assert!(!app.wanted(0).in_detail && app.wanted(1).in_detail);
}
