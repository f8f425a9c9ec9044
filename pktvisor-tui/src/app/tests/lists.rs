//! Tests of keys that move through lists, sort and filter them.

use super::*;

#[test]
fn the_cursor_of_a_zoomed_list_stays_on_rows_that_the_filter_leaves() {
    let mut app = app(&["ns1"]);
    press(&mut app, "⏎↓↓↓↓");
    assert_eq!(app.zoom, Some(Zoom { list: ListKind::ALL[0], row: 2 }));
    press(&mut app, "/.net");
    assert_eq!(app.zoom, Some(Zoom { list: ListKind::ALL[0], row: 0 }));
    press(&mut app, "⎋→");
    assert_eq!(app.zoom, Some(Zoom { list: ListKind::ALL[1], row: 0 }));
}

#[test]
fn the_focus_never_leaves_the_lists() {
    let mut app = app(&["ns1"]);
    app.regions.columns = 3;
    press(&mut app, "↑←");
    assert_eq!(app.focus(), 0);
    press(&mut app, "↓↓↓↓↓↓↓↓→→→→");
    assert_eq!(app.focus(), ListKind::ALL.len() - 1);
    press(&mut app, "6");
    assert_eq!(app.focus(), 0);
}

fn first(app: &UiState) -> Option<String> {
    let window = app.agent().and_then(|agent| agent.window.as_ref()).expect("there is one");
    let rows = window.rows(ListKind::Qname2, &app.filter, app.sorts.of(ListKind::Qname2));
    rows.first().map(|row| row.name.to_string())
}

#[test]
fn a_key_sorts_by_name_or_bound() {
    let mut app = app(&["ns1"]);
    assert_eq!(first(&app).as_deref(), Some(".example.com"));
    press(&mut app, "ss");
    assert_eq!(app.sorts.of(ListKind::Qname2), Sort::Upper);
    press(&mut app, "ss");
    assert_eq!((app.sorts.of(ListKind::Qname2), first(&app).as_deref()), (Sort::Name, Some(".example.com")));
}

#[test]
fn only_the_focused_list_is_sorted_and_without_a_list_nothing_is_sorted() {
    let mut app = app(&["ns1"]);
    let [first_list, second_list] = [Page::Overview.lists()[0], Page::Overview.lists()[1]];
    press(&mut app, "→s");
    assert_eq!((app.sorts.of(first_list), app.sorts.of(second_list)), (Sort::Count, Sort::Name));
    // Neither the agent's page nor help has a list, and the fleet has an order of its own.
    press(&mut app, "7s1?s⎋");
    assert_eq!((app.sorts.of(first_list), app.sorts.of(second_list)), (Sort::Count, Sort::Name));
    assert_eq!(app.fleet_sort, FleetSort::Given);
    press(&mut app, "8s1");
    assert_eq!((app.fleet_sort, app.sorts.of(second_list)), (FleetSort::Queries, Sort::Name));
}

#[test]
fn nothing_is_filtered_on_a_page_without_lists() {
    let mut app = app(&["ns1"]);
    press(&mut app, "7/q");
    assert!(!app.typing && app.filter.is_empty());
}

#[test]
fn the_overview_begins_with_the_lists_that_say_more_about_the_worst_finding() {
    let app = failing();
    assert_eq!(app.lists()[..2], [ListKind::ZonesNxdomain, ListKind::ClientsNxdomain]);
    assert_eq!(app.lists()[2..], ListKind::ALL);
    assert_eq!(app.focused_list(), Some(ListKind::ZonesNxdomain));
}

#[test]
fn a_list_that_is_looked_at_stays_while_findings_come_and_go() {
    let mut app = failing();
    press(&mut app, "⏎");
    app.agent_mut(0).expect("there is one").findings = Some(Vec::new());
    assert_eq!(app.focused_list(), Some(ListKind::ZonesNxdomain));
}

#[test]
fn lists_are_long_on_the_whole_screen_and_have_rates_if_sorted_by_them() {
    let mut app = newer();
    assert_eq!(app.wanted(0).lists, WantedLists::Short);
    press(&mut app, "s");
    assert_eq!(app.wanted(0).lists, WantedLists::WithRates);
    press(&mut app, "sss");
    assert_eq!(app.wanted(0).lists, WantedLists::Short);
    press(&mut app, "⏎");
    assert_eq!(app.wanted(0).lists, WantedLists::Long);
}
