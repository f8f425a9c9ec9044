//! `/api/v1/metrics/rolling/S`.

use std::io::Write;

use serde_json::Value;

use crate::captures::{DEMO_HOST, demo, demo_path};
use crate::support::Served;

fn span(period: &Value) -> (u64, u64) {
    let field = |key| period["period"][key].as_u64().unwrap();
    (field("start_ts"), field("length"))
}

#[test]
fn the_last_seconds_of_a_capture_end_with_it() {
    let mut served = Served::start(&["-H", DEMO_HOST, demo_path().to_str().unwrap()]);
    served.line();
    let live = served.json("/api/v1/metrics/bucket/0")["1m"].take();
    let before = served.json("/api/v1/metrics/bucket/1")["1m"].take();
    let end = span(&live).0 + span(&live).1;
    for seconds in [10, 20, 30, 40, 50, 60] {
        let document = served.json(&format!("/api/v1/metrics/rolling/{seconds}"));
        let period = &document[format!("{seconds}s")];
        let (start, length) = span(period);
        assert_eq!(start + length, end);
        assert!(length >= seconds, "{seconds}: {length}");
        // Nobody asked earlier, so they begin with a period.
        let is_live = start == span(&live).0;
        assert!(is_live || start == span(&before).0);
        let total = |period: &Value| period["packets"]["total"].as_u64().unwrap();
        let earlier = if is_live { 0 } else { total(&before) };
        assert_eq!(total(period), total(&live) + earlier);
    }
}

#[test]
fn while_somebody_asks_the_last_seconds_are_at_most_nine_more() {
    let mut served = Served::start(&["-H", DEMO_HOST, "-"]);
    let mut stdin = served.stdin();
    served.json("/api/v1/metrics/rolling/10");
    stdin.write_all(&demo()).unwrap();
    drop(stdin);
    served.line();
    for seconds in [10_u64, 20, 30, 40, 50, 60] {
        let document = served.json(&format!("/api/v1/metrics/rolling/{seconds}"));
        let (_, length) = span(&document[format!("{seconds}s")]);
        assert!((seconds..seconds + 10).contains(&length), "{seconds}: {length}");
    }
    let series = served.json("/api/v1/metrics/series")["series"].take();
    let last = served.json("/api/v1/metrics/rolling/10")["10s"].take();
    for (column, total) in [("/packets/in", "/packets/in"), ("/dns/queries", "/dns/wire_packets/queries")] {
        let column = series.pointer(column).unwrap().as_array().unwrap();
        let seconds = column.iter().rev().take(usize::try_from(span(&last).1).unwrap());
        let sum: u64 = seconds.map(|second| second.as_u64().unwrap()).sum();
        assert_eq!(last.pointer(total).unwrap().as_u64(), Some(sum), "{total}");
    }
}
