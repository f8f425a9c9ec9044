//! `/api/v1/focus`, end to end.

use std::io::Write;

use serde_json::Value;

use crate::captures::{DEMO_HOST, demo};
use crate::support::Served;

/// Reads the demo capture while these focuses are open, and returns what each has recorded, and the
/// agent's own window.
fn focused(queries: &[&str]) -> (Vec<Value>, Value) {
    let mut served = Served::start(&["-H", DEMO_HOST, "--summary", "-"]);
    let mut stdin = served.stdin();
    let read = |query: &&str| served.json(&format!("/api/v1/focus?{query}"))["focus"].take();
    for focus in queries.iter().map(read) {
        assert_eq!(focus["packets"]["total"], 0);
    }
    stdin.write_all(&demo()).unwrap();
    drop(stdin);
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    let read = |query: &&str| served.json(&format!("/api/v1/focus?{query}"))["focus"].take();
    (queries.iter().map(read).collect(), line["1m"].clone())
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}: {value}"))
}

#[test]
fn a_focus_on_every_name_has_the_numbers_of_the_agent() {
    let (focuses, window) = focused(&["zone=.&top=10"]);
    let focus = &focuses[0];
    for pointer in ["/period/start_ts", "/period/length", "/dns/cardinality/qname", "/dns/xact/counts/total"]
    {
        assert_eq!(number(focus, pointer), number(&window, pointer), "{pointer}");
    }
    for pointer in ["/dns/xact/in", "/dns/xact/out", "/dns/top_qname2", "/dns/top_qtype", "/dns/edns"] {
        assert_eq!(focus.pointer(pointer), window.pointer(pointer), "{pointer}");
    }
    for counter in ["timed_out", "late", "duplicates", "orphans", "retransmitted"] {
        let pointer = format!("/dns/xact/counts/{counter}");
        assert_eq!(number(focus, &pointer), number(&window, &pointer), "{pointer}");
    }
    assert_eq!(focus["sampling"]["rate"], 1.0);
    // Of all packets it knows those of DNS messages.
    assert!(number(focus, "/packets/total") < number(&window, "/packets/total"));
    assert_eq!(number(focus, "/packets/non_ip"), 0);
}

#[test]
fn focuses_on_each_response_code_and_type_share_the_messages() {
    let queries =
        ["rcode=NOERROR", "rcode=NXDOMAIN", "rcode=SERVFAIL", "rcode=REFUSED", "qtype=A", "qtype=AAAA"];
    let (focuses, window) = focused(&queries);
    for (focus, list, name) in [
        (&focuses[0], "top_rcode", "NOERROR"),
        (&focuses[1], "top_rcode", "NXDOMAIN"),
        (&focuses[2], "top_rcode", "SRVFAIL"),
        (&focuses[3], "top_rcode", "REFUSED"),
        (&focuses[4], "top_qtype", "A"),
        (&focuses[5], "top_qtype", "AAAA"),
    ] {
        let entries = |period: &Value| period["dns"][list].as_array().unwrap().clone();
        let all = entries(&window).into_iter().find(|entry| entry["name"] == name);
        assert_eq!(entries(focus), all.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_focus_on_a_client_has_its_queries_and_their_responses() {
    let (_, window) = focused(&[]);
    let client = window["packets"]["top_ipv4"][0]["name"].as_str().unwrap().to_owned();
    let network = format!("client={client}/8");
    let (focuses, _) = focused(&[&format!("client={client}"), &network, &format!("network={client}")]);
    let total = |n: usize| number(&focuses[n], "/packets/total");
    assert!(0 < total(0) && total(0) <= total(1) && total(0) <= total(2));
    let clients = focuses[0]["packets"]["top_ipv4"].as_array().unwrap();
    assert_eq!(clients[0]["name"], client);
    assert_eq!(clients.len(), 1);
}
