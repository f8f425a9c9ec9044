//! Several agents side by side.

use crate::browser::{Browser, DESKTOP, PHONE};
use crate::{agent, require_browser};

#[test]
fn agents_that_allow_the_origin_are_shown_side_by_side_and_one_by_one() {
    require_browser!();
    let (browser, first) = (Browser::start(), agent(&[]));
    let origin = format!("http://{}", first.address());
    let second = agent(&["--allow-origin", &origin, "-b", "udp"]);
    let url = format!("{origin}/?agents={},{}", first.address(), second.address());
    for screen in [PHONE, DESKTOP] {
        browser.open(&url, screen);
        browser.wait_for("[...document.querySelectorAll('#fleet .pill')].filter(pill => !/waiting|away/.test(pill.textContent)).length === 2");
        let width = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(width <= u64::from(screen.width), "{width}");
        browser.picture(&format!("fleet-{}", screen.width));
    }
    assert_eq!(browser.text("#fleet thead"), "AgentStateQueries/sFailedp95LostWorst finding");
    let cells = browser.run("return [...document.querySelectorAll('#fleet tbody tr:nth-child(2) td')].map(cell => cell.textContent)");
    assert!(cells[1].as_str().unwrap().parse::<f64>().unwrap() > 0.0, "{cells}");
    assert!(cells[2].as_str().unwrap().ends_with(" %") && cells[4] == "0", "{cells}");
    browser.run("document.querySelector('#fleet tbody tr:nth-child(2) a').click()");
    browser.wait_for("document.querySelector('#lists .list')");
    assert_eq!(browser.text("#agent"), second.address().to_string());
    let seen = second.json("/api/v1/metrics/app")["app"]["ledger"]["filtered"].take();
    assert!(
        browser.text("#ledger").contains(&format!("− filtered by -b{seen}")),
        "{}",
        browser.text("#ledger")
    );
    browser.run("document.querySelector('#back').click()");
    browser.wait_for("!document.querySelector('#fleet').hidden && document.querySelector('#one').hidden");
    for url in browser.requests() {
        let is_asked =
            [&first, &second].iter().any(|agent| url.starts_with(&format!("http://{}/", agent.address())));
        assert!(is_asked, "{url}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn an_agent_that_does_not_allow_the_origin_is_away_and_the_page_says_what_to_do() {
    require_browser!();
    let (browser, first, second) = (Browser::start(), agent(&[]), agent(&[]));
    browser.open(&format!("http://{0}/?agents={0},{1},no-port", first.address(), second.address()), DESKTOP);
    browser.wait_for("document.querySelector('#fleet tr:nth-child(2) .pill.critical')");
    let row = browser.text("#fleet tbody tr:nth-child(2)");
    let option = format!("--allow-origin http://{}", first.address());
    assert!(row.contains("away") && row.contains(&option), "{row}");
    let row = browser.text("#fleet tbody tr:nth-child(3)");
    assert!(row.contains("not an address") && row.contains("Write HOST:PORT"), "{row}");
    browser.wait_for(
        "/^[23] of 3 agents need attention.$/.test(document.querySelector('#verdict').textContent)",
    );
}
