//! The page of one agent.

use serde_json::Value;

use crate::browser::{Browser, DESKTOP, PHONE};
use crate::support::Served;
use crate::{agent, require_browser};

/// Opens the page of an agent and waits for its numbers.
pub(crate) fn opened(browser: &Browser, agent: &Served, screen: crate::browser::Screen) {
    browser.open(&format!("http://{}/", agent.address()), screen);
    browser.wait_for("document.querySelector('#lists .list')");
}

/// A number as the page writes it.
pub(crate) fn written(number: &Value) -> String {
    let digits = number.as_u64().unwrap().to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap()).collect();
    groups.join(",")
}

/// The cells of the rows of a table, joined by spaces.
pub(crate) fn rows(browser: &Browser, card: &str) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('{card} tbody tr')].map(row => [...row.children].map(cell => cell.textContent).join(' '))"
    );
    let rows = browser.run(&script);
    rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap().trim().to_owned()).collect()
}

#[test]
fn the_page_shows_what_the_agent_answers() {
    require_browser!();
    let (browser, agent) = (Browser::start(), agent(&[]));
    opened(&browser, &agent, DESKTOP);
    let window = agent.json("/api/v1/metrics/window/5")["5m"].take();
    let messages = &window["dns"]["wire_packets"];
    let codes = rows(&browser, "#codes");
    for (name, key) in [
        ("NOERROR", "noerror"),
        ("NXDOMAIN", "nxdomain"),
        ("SERVFAIL", "srvfail"),
        ("REFUSED", "refused"),
        ("all replies", "replies"),
        ("queries", "queries"),
    ] {
        let row = format!("{name} {}", written(&messages[key]));
        assert!(codes.iter().any(|shown| shown.starts_with(&row)), "{row}: {codes:?}");
    }
    for (key, title) in [("top_qname2", "Names, 2 labels"), ("top_nxdomain", "Names with NXDOMAIN")] {
        let shown = rows(&browser, &format!("[aria-label=\"{title}\"]"));
        let entries = window["dns"][key].as_array().unwrap().iter().take(5);
        let expected: Vec<String> = entries
            .map(|entry| format!("{} {} exact", entry["name"].as_str().unwrap(), written(&entry["estimate"])))
            .collect();
        assert_eq!(shown, expected, "{title}");
    }
    let ledger = agent.json("/api/v1/metrics/app")["app"]["ledger"].take();
    let shown = rows(&browser, "#ledger");
    assert_eq!(shown.first().unwrap(), &format!("seen {}", written(&ledger["seen"])));
    assert!(shown.contains(&format!("− lost {}", written(&ledger["lost"]))), "{shown:?}");
    assert!(rows(&browser, "#capture").contains(&"state the file has been read".to_owned()));
    // Every chart has drawn something, and so has every tile.
    browser.wait_for("document.querySelectorAll('#periods text').length > 10");
    assert_eq!(browser.run("return document.querySelectorAll('.chart svg:not([hidden])').length"), 10);
    let nothing = "return [...document.querySelectorAll('#tiles .now')].filter(tile => tile.textContent.includes('–')).length";
    assert_eq!(browser.run(nothing), 0);
    browser.picture("agent-desktop");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_asks_its_own_agent_only() {
    require_browser!();
    let (browser, agent) = (Browser::start(), agent(&[]));
    opened(&browser, &agent, DESKTOP);
    let own = format!("http://{}/", agent.address());
    let requests = browser.requests();
    assert!(requests.len() > 8, "{requests:?}");
    for url in &requests {
        assert!(url.starts_with(&own), "{url}");
    }
    // Its policy keeps scripts from asking anybody else.
    browser.run(
        "window.asked = null; fetch('http://127.0.0.1:9999/').catch(() => { window.asked = 'refused'; });",
    );
    browser.wait_for("window.asked === 'refused'");
    assert!(browser.complaints().iter().any(|line| line.contains("Content Security Policy")));
}

#[test]
fn a_hidden_page_asks_nothing_until_it_is_visible_again() {
    require_browser!();
    let (browser, agent) = (Browser::start(), agent(&[]));
    opened(&browser, &agent, DESKTOP);
    let hide = |is_hidden: bool| {
        browser.run(&format!(
            "Object.defineProperty(document, 'hidden', {{ value: {is_hidden}, configurable: true }}); \
             document.dispatchEvent(new Event('visibilitychange'));"
        ));
    };
    hide(true);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    browser.requests();
    std::thread::sleep(std::time::Duration::from_millis(3000));
    assert_eq!(browser.requests(), [""; 0]);
    hide(false);
    std::thread::sleep(std::time::Duration::from_millis(1000));
    assert!(!browser.requests().is_empty());
}

#[test]
fn the_keyboard_reaches_windows_charts_and_lists() {
    require_browser!();
    let (browser, agent) = (Browser::start(), agent(&[]));
    opened(&browser, &agent, DESKTOP);
    browser.run("document.querySelector('#windows input:checked').focus()");
    assert_eq!(browser.run("return document.activeElement.value"), "all");
    browser.run("document.querySelector('#windows input[value=live]').click()");
    let live = agent.json("/api/v1/metrics/bucket/0")["1m"]["dns"]["wire_packets"]["queries"].take();
    browser.wait_for(&format!(
        "document.querySelector('#codes').textContent.includes('queries{}')",
        written(&live)
    ));
    browser.run("document.querySelector('#seconds svg').focus()");
    for (key, expected) in [("Home", "22:13:20 UTC"), ("ArrowRight", "22:13:21 UTC"), ("End", "22:16:19 UTC")]
    {
        browser.press(key);
        let said = browser.run("return document.activeElement.getAttribute('aria-valuetext')");
        assert!(said.as_str().unwrap().starts_with(expected), "{key}: {said}");
    }
    browser.run("document.activeElement.blur()");
    browser.press("/");
    assert_eq!(browser.run("return document.activeElement.id"), "filter");
    browser.run(
        "document.activeElement.value = 'prime47'; document.activeElement.dispatchEvent(new Event('input'))",
    );
    let names = "[...document.querySelectorAll('#lists tbody th')]";
    browser
        .wait_for(&format!("{names}.length && {names}.every(cell => cell.textContent.includes('prime47'))"));
    let unnamed = "return [...document.querySelectorAll('a[href], button, input, svg[tabindex], summary')]\
                   .filter(it => !(it.textContent || it.getAttribute('aria-label') || it.labels?.length)).length";
    assert_eq!(browser.run(unnamed), 0);
}

#[test]
fn nothing_scrolls_sideways_on_a_phone() {
    require_browser!();
    let (browser, agent) = (Browser::start(), agent(&[]));
    opened(&browser, &agent, PHONE);
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), 360);
    browser.run("document.querySelectorAll('#lists button').forEach(button => button.click()); document.querySelector('#all').open = true");
    browser.wait_for("document.querySelector('#counters tr')");
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), 360);
    browser.picture("agent-phone");
    assert_eq!(browser.complaints(), [""; 0]);
}
