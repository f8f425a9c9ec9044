//! Fragments that overlap, repeat or contradict each other, and impossible ones.

use super::*;

#[test]
fn where_fragments_overlap_the_first_data_wins() {
    let datagram = udp(53, 1000);
    let mut forged = datagram.clone();
    forged[8..].fill(0xee);
    let mut scenario = Scenario::new();
    let part = |from, to| Part { from, to, ..Part::default() };
    scenario.add(&datagram, part(400, 600));
    scenario.add(&forged, part(200, 800));
    scenario.add(&datagram, part(0, 320));
    let last = Part { more: false, ..part(560, datagram.len()) };
    let mut expected = datagram[8..].to_vec();
    expected[192..392].fill(0xee);
    expected[592..792].fill(0xee);
    assert_eq!(scenario.add(&datagram, last), Some((expected, 4, Captured::Whole)));
}

#[test]
fn a_repeated_fragment_changes_nothing_but_the_number_of_packets() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let found = scenario.parts(&datagram, [first, last, first, last, middle]);
    assert_eq!(found, Some((datagram[8..].to_vec(), 5, Captured::Whole)));
}

#[test]
fn an_end_that_arrives_late_completes_the_datagram() {
    let datagram = udp(53, 1000);
    let mut scenario = Scenario::new();
    let part = |from, to| Part { from, to, ..Part::default() };
    let found =
        scenario.parts(&datagram, [part(0, 504), part(504, 1008), Part { more: false, ..part(800, 1008) }]);
    assert_eq!(found, Some((datagram[8..].to_vec(), 3, Captured::Whole)));
}

#[test]
fn fragments_that_contradict_each_other_are_left_out() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let early_end = Part { more: false, to: middle.to - 8, ..middle };
    let beyond_end = Part { from: 1000, to: 1024, ..Part::default() };
    scenario.parts(&datagram, [first, last, early_end]);
    scenario.add(&udp(53, 2000), beyond_end);
    assert_eq!(scenario.events, [FragmentMalformed; 2]);
    let whole = scenario.add(&datagram, middle);
    assert_eq!(whole, Some((datagram[8..].to_vec(), 3, Captured::Whole)));
}

#[test]
fn an_end_before_received_bytes_is_ignored() {
    let datagram = udp(53, 1000);
    let [first, middle, _] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.parts(&datagram, [middle, Part { more: false, ..first }]);
    assert_eq!(scenario.events, [FragmentMalformed]);
}

#[test]
fn impossible_fragments_are_counted() {
    let datagram = udp(53, 1000);
    let [first, ..] = thirds(&datagram);
    let mut scenario = Scenario::new();
    let unaligned = Part { to: first.to - 1, ..first };
    let empty = Part { to: 0, ..first };
    for part in [unaligned, empty, Part { snaplen: 20, ..first }] {
        assert_eq!(scenario.add(&datagram, part), None);
    }
    let (mut beyond, class) = packet(&datagram, Part { from: 8, to: 808, ..first });
    beyond[ETHERNET_LEN + 6..ETHERNET_LEN + 8].copy_from_slice(&0x3fff_u16.to_be_bytes());
    assert_eq!(scenario.packet(&beyond, &class), None);
    assert_eq!(scenario.events, [FragmentMalformed; 4]);
}
