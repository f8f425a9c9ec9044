//! `/api/v1/metrics/series` and waiting queries.

use serde_json::Value;

use crate::captures::{DEMO_HOST, demo, demo_path, raw_ipv4};
use crate::shell::Shell;
use crate::support::Served;

const SECOND: u64 = 1_000_000_000;
const START_S: u64 = 1_700_000_000;

/// The agent after it has read a capture.
fn served(path: &str) -> Served {
    let mut served = Served::start(&["-H", DEMO_HOST, "--periods", "100", path]);
    served.line();
    served
}

fn served_demo() -> Served {
    served(demo_path().to_str().unwrap())
}

/// The values of a column.
fn column(series: &Value, pointer: &str) -> Vec<Option<u64>> {
    let values = series.pointer(pointer).and_then(Value::as_array);
    values.unwrap_or_else(|| panic!("{pointer} is no column")).iter().map(Value::as_u64).collect()
}

#[test]
fn the_columns_sum_up_to_the_window() {
    let served = served_demo();
    let series = served.json("/api/v1/metrics/series")["series"].take();
    let window = served.json("/api/v1/metrics/window/100")["100m"].take();
    for (pointer, of_window) in [
        ("/packets/in", "/packets/in"),
        ("/packets/out", "/packets/out"),
        ("/packets/unknown", "/packets/unknown"),
        ("/packets/bytes_in", "/packets/bytes_in"),
        ("/packets/bytes_out", "/packets/bytes_out"),
        ("/dns/queries", "/dns/wire_packets/queries"),
        ("/dns/replies", "/dns/wire_packets/replies"),
        ("/dns/noerror", "/dns/wire_packets/noerror"),
        ("/dns/nxdomain", "/dns/wire_packets/nxdomain"),
        ("/dns/srvfail", "/dns/wire_packets/srvfail"),
        ("/dns/refused", "/dns/wire_packets/refused"),
        ("/dns/tc", "/dns/flags/tc"),
        ("/xact/timed_out", "/dns/xact/counts/timed_out"),
        ("/xact/in/total", "/dns/xact/in/total"),
        ("/xact/out/total", "/dns/xact/out/total"),
    ] {
        let values = column(&series, pointer);
        assert_eq!(values.len(), 180, "{pointer}");
        let sum: u64 = values.into_iter().map(Option::unwrap).sum();
        assert_eq!(Some(sum), window.pointer(of_window).and_then(Value::as_u64), "{pointer}");
    }
    assert_eq!((&series["start_ts"], &series["step_s"]), (&window["period"]["start_ts"], &1.into()));
    assert!(window["dns"]["xact"]["counts"]["timed_out"].as_u64().unwrap() > 0);
    for direction in ["in", "out"] {
        let [total, p50, p95] =
            ["total", "p50_us", "p95_us"].map(|key| column(&series, &format!("/xact/{direction}/{key}")));
        for second in 0..total.len() {
            assert_eq!(total[second] == Some(0), p50[second].is_none(), "second {second}");
            assert!(p50[second] <= p95[second], "second {second}");
        }
    }
}

/// The bundled capture up to the end of this second.
fn demo_until(second_s: u64) -> Vec<u8> {
    let mut bytes = demo();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut end = 24;
    while end < bytes.len() && u64::from(word(end)) <= second_s {
        end += 16 + word(end + 8) as usize;
    }
    bytes.truncate(end);
    bytes
}

#[test]
fn a_second_has_the_quantiles_of_its_transactions() {
    let series = served_demo().json("/api/v1/metrics/series")["series"].take();
    // The first second of a period is all of it in a capture that ends there.
    for second in [60, 120] {
        let shell = Shell::with("t.pcap", &demo_until(START_S + second));
        let period = shell.run(&["-H", DEMO_HOST, "--periods", "1", "t.pcap"]).document("1m");
        assert_eq!(period["period"]["start_ts"], START_S + second);
        assert_eq!(period["period"]["length"], 1);
        let of_second = |pointer: &str| column(&series, pointer)[second as usize];
        for direction in ["in", "out"] {
            let transactions = &period["dns"]["xact"][direction];
            for key in ["p50", "p95"] {
                let found = of_second(&format!("/xact/{direction}/{key}_us"));
                assert!(found.is_some());
                assert_eq!(found, transactions["quantiles_us"][key].as_u64(), "{key} {direction}");
            }
            assert_eq!(of_second(&format!("/xact/{direction}/total")), transactions["total"].as_u64());
        }
        assert_eq!(of_second("/packets/in"), period["packets"]["in"].as_u64());
    }
}

/// An IPv4 packet with a query of this id, `time_ns` after the start.
fn query(time_ns: u64, id: u16) -> (u64, Vec<u8>) {
    // RFC 1035 section 4.1: the header, then the question `x. A IN`.
    let mut message = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'x', 0, 0, 1, 0, 1];
    message[..2].copy_from_slice(&id.to_be_bytes());
    let length = (28 + message.len()) as u8;
    let mut packet = vec![0x45, 0, 0, length, 0, 0, 0, 0, 64, 17, 0, 0];
    packet.extend([192, 0, 2, 1, 198, 51, 100, 53]);
    packet.extend([0x9c, 0x40, 0, 53, 0, length - 20, 0, 0]);
    packet.append(&mut message);
    (START_S * SECOND + time_ns, packet)
}

#[test]
fn a_query_that_has_waited_for_longer_than_a_second_counts_as_waiting() {
    for (last_ns, open, waiting) in [
        (SECOND, 3, 0),
        (SECOND + 1, 3, 1),
        (3 * SECOND, 3, 2),
        // The first two have timed out.
        (5 * SECOND + 500_000_001, 1, 0),
    ] {
        let queries = [(0, 1), (SECOND / 2, 2), (last_ns, 3)].map(|(time_ns, id)| query(time_ns, id));
        let shell = Shell::with("t.pcap", &raw_ipv4(queries));
        let served = served(shell.path().join("t.pcap").to_str().unwrap());
        let found = served.json("/api/v1/metrics/app")["dns"]["xact"].take();
        assert_eq!((&found["open"], &found["waiting"]), (&open.into(), &waiting.into()), "{last_ns}");
        let metrics = served.get("/metrics").1;
        assert!(metrics.contains(&format!("\npktvisor_dns_queries_waiting {waiting}\n")), "{metrics}");
    }
}

#[test]
fn a_query_times_out_in_its_second_although_the_next_packet_comes_later() {
    let shell = Shell::with("t.pcap", &raw_ipv4([query(0, 1), query(SECOND, 2), query(90 * SECOND, 3)]));
    let served = served(shell.path().join("t.pcap").to_str().unwrap());
    let series = served.json("/api/v1/metrics/series")["series"].take();
    let mut expected = vec![Some(0); 91];
    (expected[5], expected[6]) = (Some(1), Some(1));
    assert_eq!(column(&series, "/xact/timed_out"), expected);
    let mut expected = vec![Some(0); 91];
    (expected[0], expected[1], expected[90]) = (Some(1), Some(1), Some(1));
    assert_eq!(column(&series, "/dns/queries"), expected);
}
