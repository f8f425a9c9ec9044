//! `/api/v1/findings` and its Prometheus family.

use dns_traffic::{Attack, AttackKind, Day, DayConfig};
use serde_json::{Value, json};

use crate::captures::{demo_path, pcap};
use crate::shell::Shell;
use crate::support::Served;

const START_S: u64 = 1_700_000_000;

fn served(path: &str) -> Served {
    let mut served = Served::start(&["-H", "192.0.2.0/28", path]);
    served.line();
    served
}

#[test]
fn an_attack_in_a_capture_file_is_found_in_its_own_time() {
    let (start_s, seconds) = (START_S + 60, 30);
    let attack = Attack { kind: AttackKind::RandomSubdomains, start_s, seconds, share: 0.05, seed: 2 };
    let day = Day::new(DayConfig {
        seed: 1,
        start_s: START_S,
        seconds: 80,
        queries_per_second: 400.0,
        attack: Some(attack),
    });
    let zone = day.subject().unwrap();
    let capture = pcap(1, day.map(|packet| (packet.timestamp_ns, packet.data)));
    let shell = Shell::with("t.pcap", &capture);
    let served = served(shell.path().join("t.pcap").to_str().unwrap());
    let document = served.json("/api/v1/findings");
    let at_s = document["at_ts"].as_u64().unwrap();
    assert!((START_S + 79..START_S + 83).contains(&at_s), "{document}");
    let is_wanted = |finding: &&Value| finding["kind"] == "random_subdomains";
    let finding = document["findings"].as_array().unwrap().iter().find(is_wanted).unwrap();
    assert_eq!(finding["subject"], json!({ "kind": "zone", "name": zone }));
    let since_s = finding["since_ts"].as_u64().unwrap();
    assert!((start_s..start_s + 10).contains(&since_s), "{finding}");
    let metrics = served.get("/metrics").1;
    let series = format!(
        "\npktvisor_finding{{kind=\"random_subdomains\",subject_kind=\"zone\",subject=\"{zone}\",severity=\"warning\"}} 1\n"
    );
    assert!(metrics.contains(&series), "{metrics}");
}

#[test]
fn the_bundled_capture_has_no_finding() {
    let served = served(demo_path().to_str().unwrap());
    assert_eq!(served.json("/api/v1/findings")["findings"], json!([]));
    assert!(served.get("/metrics").1.contains("\n# TYPE pktvisor_finding gauge\n"));
}
