//! An agent that lies: names that are markup, that turn the text around, or are endless, and values of
//! the wrong type. The page of an honest agent shows it beside its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use serde_json::{Value, json};

use crate::browser::{Browser, DESKTOP, PHONE, Screen};
use crate::{agent, require_browser};

const NAMES: [&str; 6] = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror=\"window.hacked = 2\">",
    "\u{202e}gnp.exe\u{202d}\u{2066}\u{200b}",
    "\"><svg/onload=window.hacked=3>",
    "javascript:window.hacked=4",
    "مثال.إختبار",
];

/// Gives these answers to pages of every origin, until the test program ends.
pub(crate) fn answering(answers: BTreeMap<&'static str, Value>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let lines: Vec<String> =
                stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let (status, body) = match answers.get(path) {
                Some(answer) => ("200 OK", answer.to_string()),
                None => ("404 Not Found", "{}".to_owned()),
            };
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
            let head =
                format!("{head}access-control-allow-origin: *\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.get_mut().write_all((head + &body).as_bytes());
        }
    });
    address
}

fn entries() -> Value {
    let long = "w".repeat(255);
    let names = NAMES.iter().copied().chain([long.as_str()]);
    let entry = |name| json!({"name": name, "estimate": 50, "lower": 40, "upper": 1e15, "scaled": "1"});
    names.map(entry).collect()
}

fn answers() -> BTreeMap<&'static str, Value> {
    let long = "w".repeat(5000);
    let period = json!({"1m": {
        "period": {"start_ts": 1e300, "length": -5},
        "packets": {"total": "many", "in": null, "top_ipv4": entries(), "top_ASN": [null, 1]},
        "dns": {"top_qname2": entries(), "in": {"<b>top_x</b>": entries(), long.as_str(): entries()}, "wire_packets": [], "xact": {"in": {"quantiles_us": {"p50": -1}}}},
        "sampling": {"rate": 0.0},
    }});
    let who = entries();
    let finding = |text: &str| json!({"kind": NAMES[0], "severity": NAMES[1], "subject": {"kind": text, "name": text}, "since_ts": -1e18, "text": text, "measures": [{"name": text, "value": "x"}], "who": who});
    let texts = NAMES.iter().copied().chain([long.as_str()]);
    let findings: Vec<Value> = texts.map(finding).chain([json!(null), json!(7)]).collect();
    let wild = json!([1e308, -3, null, "5", {}, 4, 5]);
    let series = json!({"series": {"start_ts": "0", "dns": {"queries": wild, "replies": wild}, "packets": {"in": "x"}, "xact": {"in": {"p95_us": wild}}}});
    let app = json!({"app": {"version": NAMES[0], "periods": 3, "up_time_min": {}, "capture": {
        "target": NAMES[2], "mode": NAMES[1], "interfaces": [{"name": long, "state": NAMES[0]}, null], "notes": [NAMES[0], long, 5]}, "losses": {NAMES[0]: 1e20}}});
    let sketches = json!({
        "format": 1, "periods": -1, "period": period["1m"], "distinct": {},
        "histograms": {"dns.xact.in.quantiles_us": {"scale": 0, "zero": "x", "buckets": [null, {"index": 1e300, "count": -5}]}, "__proto__": {"scale": 20}},
        "lists": {"dns.top_qname2": {"absent_upper": "many"}, "dns.__proto__": null, "dns.in.<b>top_x</b>": 7},
    });
    BTreeMap::from([
        (
            "/api/v1/openapi.json",
            json!({"paths": {"/api/v1/findings": {}, "/api/v1/sketches/window/{n}": {}}}),
        ),
        ("/api/v1/sketches/window/3?top=100", sketches),
        ("/api/v1/metrics/app", app),
        ("/api/v1/metrics/series", series),
        ("/api/v1/metrics/bucket/0", period.clone()),
        ("/api/v1/metrics/window/3", period),
        ("/api/v1/findings", json!({"at_ts": "now", "findings": findings})),
        ("/healthz", json!({"error": NAMES[0]})),
    ])
}

#[test]
fn hostile_names_are_text_and_keep_the_layout() {
    require_browser!();
    let (browser, agent, liar) = (Browser::start(), agent(&[]), answering(answers()));
    let narrow = Screen { width: 320, ..PHONE };
    for screen in [DESKTOP, PHONE, narrow] {
        let table = format!("http://{0}/?agents={0},{liar}", agent.address());
        browser.open(&table, screen);
        browser.wait_for("document.querySelector('#fleet tr:nth-child(2) .pill.critical')");
        browser.wait_for("document.querySelector('#window-note').textContent.includes('union of 2 of 2')");
        browser
            .wait_for("document.querySelector('#lists').textContent.includes('<script>window.hacked = 1')");
        check(&browser, screen);
        browser.run(&format!("location.hash = '{liar}'"));
        browser.wait_for("document.querySelector('#lists .list')");
        browser.run(
            "document.querySelectorAll('#lists button').forEach(button => button.click()); \
                     document.querySelectorAll('details').forEach(details => { details.open = true; })",
        );
        browser
            .wait_for("document.querySelector('#lists').textContent.includes('<script>window.hacked = 1')");
        assert!(browser.text("#lists").contains("\\u{202e}gnp.exe\\u{202d}\\u{2066}\\u{200b}"));
        assert!(browser.text("#verdict").contains("\\u{202e}gnp.exe"));
        check(&browser, screen);
        browser.picture(&format!("hostile-{}", screen.width));
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

fn check(browser: &Browser, screen: Screen) {
    assert_eq!(browser.run("return window.hacked ?? null"), Value::Null);
    let parsed = "return document.querySelectorAll('script:not([src=\"page.js\"]), img, b b, [onerror], [onload], a[href^=javascript]').length";
    assert_eq!(browser.run(parsed), 0);
    let width = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
    let wide = "return [...document.querySelectorAll('body *')].filter(it => it.getBoundingClientRect().right > innerWidth)\
                .slice(0, 5).map(it => it.outerHTML.slice(0, 120))";
    assert!(width <= u64::from(screen.width), "{width} on {screen:?}: {}", browser.run(wide));
}
