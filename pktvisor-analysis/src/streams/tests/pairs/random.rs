//! Random losses, pauses and swaps.

use proptest::prelude::*;

use super::*;

/// What an exchange goes through: whether query and response are captured, pauses, and whether a
/// segment changes places with the next one that is captured.
type Step = (bool, bool, bool, u64, [bool; 2]);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (prop::bool::weighted(0.8), prop::bool::weighted(0.8), any::<bool>(), 0u64..30, any::<[bool; 2]>());
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn all_captured_messages_are_found_and_responses_follow_queries(steps in steps()) {
        let mut connection = Connection::opened();
        let (mut now_ns, mut unanswered, mut captured) = (connection.scenario.now_ns, Vec::new(), Vec::new());
        for (id, (is_query_captured, is_response_captured, answers_all, pause, swaps)) in steps.iter().enumerate() {
            now_ns += pause * MS;
            let sent = connection.send_query(id as u16);
            captured.extend(is_query_captured.then_some((now_ns, swaps[0], sent)));
            unanswered.push(id as u16);
            if *answers_all {
                for id in unanswered.drain(..) {
                    now_ns += pause * MS / 10;
                    let sent = connection.send_response(id);
                    captured.extend(is_response_captured.then_some((now_ns, swaps[1], sent)));
                }
            }
        }
        // The capture is out of order by a place.
        for pair in captured.chunks_exact_mut(2) {
            if pair[0].1 && pair[1].0 - pair[0].0 < 3 * MS {
                pair.swap(0, 1);
            }
        }
        for (time_ns, _, sent) in &captured {
            connection.scenario.now_ns = *time_ns;
            connection.capture(sent);
        }
        connection.finish();
        let found = connection.found();
        prop_assert_eq!(found.len(), captured.len());
        for id in 0..steps.len() {
            let place = |kind| found.iter().position(|found| *found == format!("{kind}{id}"));
            if let (Some(query), Some(response)) = (place('q'), place('r')) {
                prop_assert!(query < response, "{}", found.join(" "));
            }
        }
        connection.scenario.assert_nothing_held();
    }
}
