//! What a table forgets, and what it costs.

use super::*;

#[test]
fn a_silent_stream_is_forgotten_after_120_s() {
    let mut scenario = Scenario::opened();
    scenario.data(0, &[0]).wait(120 * SECOND).of_port(5000).syn(1);
    assert_eq!(scenario.streams.len(), 2);
    scenario.wait(1).syn(1).assert_found(&[], &[]).assert_nothing_held();
    assert_eq!(scenario.streams.len(), 1);
}

#[test]
fn a_syn_flood_does_not_push_out_a_stream_in_use() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..50]);
    for port in 5000..5100 {
        scenario.of_port(port).syn(1);
    }
    assert_eq!(scenario.streams.len(), 16);
    scenario.of_port(4000).data(50, &bytes[50..]).assert_found(&[1, 2], &[StreamEvicted; 85]);
}

#[test]
fn the_stream_longest_unused_goes_first_when_memory_runs_out() {
    let mut scenario = Scenario::with(StreamLimits { streams: 16, buffered_bytes: 70_000 });
    let bytes = framed(&[message(1, 30_000), message(2, 12)]);
    for port in [4000, 5000, 4000] {
        scenario.of_port(port).syn(ISN).data(0, &bytes[..20_000]);
    }
    scenario.of_port(6000).syn(ISN).data(0, &bytes[..20_000]);
    scenario.assert_found(&[], &[RetransmittedSegment, StreamEvicted]);
    for port in [4000, 6000] {
        scenario.of_port(port).data(20_000, &bytes[20_000..]);
    }
    assert_eq!(scenario.ids(), [1, 2, 1, 2]);
    scenario.assert_nothing_held();
}

#[test]
fn bytes_behind_the_gap_of_an_evicted_stream_are_parsed() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::with(StreamLimits { streams: 1, buffered_bytes: 1 << 20 });
    scenario.syn(ISN).data(42, &bytes[42..]).of_port(5000).syn(1);
    scenario.assert_found(&[2], &[Gap, StreamEvicted]).assert_nothing_held();
}

#[test]
fn a_stream_that_holds_nothing_costs_about_130_bytes() {
    let links = 3 * size_of::<u32>();
    assert!(size_of::<Flow>() + size_of::<Stream>() + links <= 130);
}

#[test]
fn memory_stays_below_its_ceiling_when_time_gives_a_gap_up() {
    let bytes = framed(&[message(1, 40), message(2, 300), message(3, 40)]);
    let with_two_gaps = |limits| {
        let mut scenario = Scenario::with(limits);
        scenario.syn(ISN).data(42, &bytes[42..60]).wait(SECOND).data(344, &bytes[344..]);
        scenario
    };
    let needed =
        with_two_gaps(StreamLimits { streams: 16, buffered_bytes: 1 << 20 }).streams.buffered_bytes();
    let mut scenario = with_two_gaps(StreamLimits { streams: 16, buffered_bytes: needed });
    assert_eq!(scenario.streams.buffered_bytes(), needed);
    // What waited first becomes the beginning of a message, whose buffer is larger.
    scenario.now_ns += SECOND + 1;
    scenario.streams.advance(scenario.now_ns, &mut scenario.sink);
    assert!(scenario.streams.buffered_bytes() <= needed);
    scenario.assert_found(&[3], &[Gap, Gap, StreamEvicted]);
}
