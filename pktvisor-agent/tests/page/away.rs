//! An agent that stops, and one that cannot capture.

use crate::browser::{Browser, DESKTOP};
use crate::one_agent::opened;
use crate::{agent, require_browser};

#[test]
fn the_page_says_since_when_its_agent_is_away_and_asks_less_often() {
    require_browser!();
    let (browser, agent) = (Browser::start(), agent(&[]));
    opened(&browser, &agent, DESKTOP);
    agent.stop("TERM");
    browser.wait_for("/Critical.*does not answer since \\d\\d:\\d\\d:\\d\\d UTC: it cannot be reached/.test(document.querySelector('#verdict').textContent)");
    assert!(browser.text("title").starts_with('('));
    // The last numbers stay, marked as old.
    assert_eq!(browser.run("return document.body.classList.contains('stale')"), true);
    assert!(browser.text("#codes").contains("NOERROR"));
    browser.wait_for("agents[0].delay >= 8000");
    browser.requests();
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert!(browser.requests().len() <= 4, "one poll at most");
}
