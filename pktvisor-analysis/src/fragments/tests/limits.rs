//! What is given up: after its time, for want of room, and at the end.

use super::*;

#[test]
fn a_datagram_incomplete_after_30_s_is_no_message() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.parts(&datagram, [first, last]);
    scenario.wait(30 * SECOND);
    assert_eq!(scenario.events, []);
    scenario.wait(1);
    assert_eq!(scenario.events, [DatagramIncomplete]);
    assert_eq!(scenario.add(&datagram, middle), None);
    scenario.wait(31 * SECOND);
    assert_eq!(scenario.events, [DatagramIncomplete, DatagramUnidentified]);
    assert_eq!((scenario.fragments.len(), scenario.fragments.buffered_bytes), (0, 0));
}

#[test]
fn the_30_s_count_from_the_first_fragment_that_came() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.add(&datagram, last);
    scenario.wait(20 * SECOND);
    scenario.add(&datagram, first);
    scenario.wait(10 * SECOND + 1);
    assert_eq!((scenario.add(&datagram, middle), scenario.events), (None, vec![DatagramIncomplete]));
}

#[test]
fn the_oldest_datagram_goes_first_when_there_are_too_many() {
    let datagram = udp(53, 1000);
    let [first, middle, last] = thirds(&datagram);
    let mut scenario = Scenario::with(FragmentLimits { datagrams: 2, ..FragmentLimits::default() });
    for identification in 1..=3 {
        scenario.add(&datagram, Part { identification, ..first });
    }
    assert_eq!((scenario.events.as_slice(), scenario.fragments.len()), ([DatagramEvicted].as_slice(), 2));
    let rest = [middle, last].map(|part| Part { identification: 2, ..part });
    assert!(scenario.parts(&datagram, rest).is_some());
}

#[test]
fn the_oldest_datagram_goes_first_when_memory_runs_out() {
    let datagram = udp(53, 60_000);
    let [first, ..] = thirds(&datagram);
    let mut scenario = Scenario::with(FragmentLimits { buffered_bytes: 50_000, ..FragmentLimits::default() });
    for identification in 1..=3 {
        scenario.add(&datagram, Part { identification, ..first });
        assert!(scenario.fragments.buffered_bytes <= 50_000);
    }
    assert_eq!((scenario.events.as_slice(), scenario.fragments.len()), ([DatagramEvicted].as_slice(), 2));
}

#[test]
fn a_datagram_of_too_many_fragments_is_dropped() {
    let datagram = udp(53, 1000);
    let mut scenario = Scenario::new();
    for index in 0..70 {
        scenario.add(&datagram, Part { from: 8 * index, to: 8 * index + 8, ..Part::default() });
    }
    assert_eq!(
        (scenario.events.as_slice(), scenario.fragments.buffered_bytes),
        ([DatagramEvicted].as_slice(), 0)
    );
}

#[test]
fn a_datagram_cut_off_by_the_end_of_the_capture_is_incomplete() {
    let datagram = udp(53, 1000);
    let [first, _, last] = thirds(&datagram);
    let mut scenario = Scenario::new();
    scenario.parts(&datagram, [first, Part { identification: 8, ..last }]);
    let events = &mut scenario.events;
    scenario.fragments.finish(|event| events.push(event));
    assert_eq!(scenario.events, [DatagramIncomplete, DatagramUnidentified]);
    assert!(scenario.fragments.is_empty());
}
