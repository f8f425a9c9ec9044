//! Segments at random.

use proptest::prelude::*;

use super::*;

/// Messages, and the segments that carry them: cut at random, some twice with other boundaries, in
/// random order.
fn segmented() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<(usize, usize)>)> {
    let messages = proptest::collection::vec(12usize..600, 1..30).prop_map(|lengths| {
        lengths.iter().enumerate().map(|(id, &len)| message(id as u16, len)).collect::<Vec<_>>()
    });
    let cuts = proptest::collection::vec(any::<prop::sample::Index>(), 0..60);
    (messages, cuts.clone(), cuts, any::<bool>()).prop_flat_map(|(messages, cuts, again, twice)| {
        let len = framed(&messages).len();
        let spans = |cuts: &[prop::sample::Index]| {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(len)).chain([0, len]).collect();
            ends.sort_unstable();
            ends.windows(2).map(|span| (span[0], span[1])).filter(|span| span.0 < span.1).collect::<Vec<_>>()
        };
        let mut segments = spans(&cuts);
        if twice {
            segments.extend(spans(&again));
        }
        (Just(messages), Just(segments).prop_shuffle())
    })
}

/// Payload that is no message, or the beginning of one.
fn garbage_or_message() -> impl Strategy<Value = Vec<u8>> {
    let beginning = |(len, cut): (usize, usize)| {
        let mut bytes = framed(&[message(7, len)]);
        bytes.truncate(cut);
        bytes
    };
    prop_oneof![proptest::collection::vec(0u8..20, 0..200), (17usize..1000, 0usize..300).prop_map(beginning),]
}

proptest! {
    #[test]
    fn segmentation_order_and_duplicates_change_nothing((messages, segments) in segmented(), isn: u32) {
        let bytes = framed(&messages);
        let mut scenario = Scenario::new();
        scenario.syn(isn);
        for (from, to) in segments {
            let sequence = isn.wrapping_add(1).wrapping_add(from as u32);
            scenario.send(ACK, sequence, &bytes[from..to], to - from);
        }
        let found: Vec<_> = scenario.sink.found.iter().map(|found| found.bytes.clone()).collect();
        prop_assert_eq!(found, messages);
        prop_assert_eq!((scenario.streams.buffered_bytes(), scenario.streams.gaps.len()), (0, 0));
        prop_assert!(scenario.sink.events.iter().all(|event| *event == RetransmittedSegment));
    }

    #[test]
    fn garbage_stays_within_the_limits_after_each_call(
        segments in proptest::collection::vec(
            (
                (0u16..6, any::<bool>()),
                any::<u8>(),
                (0u32..3000, 0u32..3000),
                garbage_or_message(),
                0usize..100,
                0u64..SECOND,
            ),
            0..400
        ),
        buffered_bytes in 0usize..3000,
    ) {
        let limits = StreamLimits { streams: 4, buffered_bytes };
        let mut scenario = Scenario::with(limits);
        for ((port, from_server), flags, (sequence, acknowledgement), payload, missing, pause_ns) in segments {
            // Seldom a SYN, FIN or RST, so that streams live.
            let flags = if flags > 0x0f { ACK } else { flags };
            let wire_len = (payload.len() + missing.saturating_sub(80)) as u32;
            let flow = if from_server { flow(port).reversed() } else { flow(port) };
            scenario.wait(pause_ns / 4);
            let Scenario { streams, sink, now_ns, .. } = &mut scenario;
            let segment = TcpSegment { sequence, acknowledgement, flags, payload: &payload, wire_len };
            streams.segment(&flow, segment, *now_ns, sink);
            prop_assert!(streams.len() <= limits.streams);
            prop_assert!(streams.buffered_bytes() <= limits.buffered_bytes);
            *now_ns += pause_ns;
            streams.advance(*now_ns, sink);
            prop_assert!(streams.buffered_bytes() <= limits.buffered_bytes);
            prop_assert_eq!(held(streams), streams.buffered_bytes());
        }
        prop_assert!(scenario.sink.found.iter().all(|found| found.bytes.len() >= 12));
        scenario.streams.finish(&mut scenario.sink);
        scenario.assert_nothing_held();
        prop_assert!(scenario.streams.is_empty());
    }
}

/// What the streams of the first ports hold, asked one by one.
fn held(streams: &Streams) -> usize {
    (0..6)
        .flat_map(|port| [flow(port), flow(port).reversed()])
        .filter_map(|flow| streams.table.find(&flow))
        .map(|id| streams.table[id].heap_bytes())
        .sum()
}
