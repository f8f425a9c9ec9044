//! The layout at every size: nothing covers anything else, and no number is cut.

mod support;

use pktvisor_api::CaptureInterface;
use pktvisor_tui::{
    app::{Action, Drawn, Page, UiState},
    model::Printable,
    pages,
};
use ratatui::{buffer::Buffer, layout::Rect};
use support::{
    sample,
    states::{
        STATES, State, everywhere, failing, file, fleet, fleet_union, full, huge_numbers, huge_union, show,
        whole_fleet,
    },
};

/// The narrowest and the widest screen in these tests.
const WIDTHS: std::ops::RangeInclusive<u16> = 40..=300;

fn draw(app: &UiState, width: u16, height: u16) -> (Buffer, Vec<Drawn>) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let drawn = pages::draw(&mut buffer, area, app).drawn;
    (buffer, drawn)
}

fn screen(buffer: &Buffer) -> String {
    let Rect { width, height, .. } = buffer.area;
    let line = |row| (0..width).map(|column| buffer[(column, row)].symbol()).collect::<String>();
    (0..height).map(line).collect::<Vec<_>>().join("\n")
}

/// The text in the cells of an area of one row. The second cell of a wide character holds a blank.
fn text_at(buffer: &Buffer, area: Rect) -> String {
    let mut text = String::new();
    let mut column = area.x;
    while column < area.right() {
        let symbol = buffer[(column, area.y)].symbol();
        text.push_str(symbol);
        column += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap_or(1).max(1);
    }
    text
}

/// Whether a text ends in a number that lost digits or its unit: `12.6…`. Addresses are no numbers.
fn is_cut_number(text: &str) -> bool {
    let Some(word) = text.strip_suffix('…').and_then(|text| text.rsplit(' ').next()) else { return false };
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.matches('.').count() < 2
        && word.chars().all(|c| c.is_ascii_digit() || ".,%kMGTPEmµsb/".contains(c))
}

/// What is wrong with a screen: a text that covers or touches another one, was drawn over, or lost
/// digits.
fn fault(buffer: &Buffer, drawn: &[Drawn]) -> Option<String> {
    let width = usize::from(buffer.area.width);
    let mut owner: Vec<Option<usize>> = vec![None; width * usize::from(buffer.area.height)];
    for (index, Drawn { area, text }) in drawn.iter().enumerate() {
        if area.intersection(buffer.area) != *area {
            return Some(format!("{text:?} leaves the screen: {area}"));
        }
        for row in area.top()..area.bottom() {
            // With the cell before and after it: numbers side by side without a blank read as one
            // number.
            let around = area.left().saturating_sub(1)..(area.right() + 1).min(buffer.area.width);
            for column in around {
                if let Some(other) = owner[usize::from(row) * width + usize::from(column)] {
                    return Some(format!("{text:?} and {:?} collide in row {row}", drawn[other].text));
                }
            }
        }
        for row in area.top()..area.bottom() {
            for column in area.left()..area.right() {
                owner[usize::from(row) * width + usize::from(column)] = Some(index);
            }
        }
    }
    drawn.iter().filter(|drawn| !drawn.text.is_empty()).find_map(|Drawn { area, text }| {
        let shown = text_at(buffer, *area);
        if is_cut_number(text) {
            return Some(format!("{text:?} lost digits"));
        }
        (shown != *text).then(|| format!("{text:?} is drawn over: {shown:?}"))
    })
}

fn assert_sound(app: &UiState, name: &str, width: u16, height: u16) {
    let (buffer, drawn) = draw(app, width, height);
    if let Some(fault) = fault(&buffer, &drawn) {
        panic!("{name} on {:?} at {width}x{height}: {fault}\n{}", app.page, screen(&buffer));
    }
}

/// All states, and the fleet of all.
fn states() -> impl Iterator<Item = (&'static str, State)> {
    STATES.into_iter().chain([
        ("fleet", fleet as State),
        ("fleet_union", fleet_union),
        ("huge_union", huge_union),
        ("whole_fleet", whole_fleet),
    ])
}

#[test]
fn no_text_covers_another_and_no_number_is_cut_at_any_width() {
    for (number, (name, state)) in (0u16..).zip(states()) {
        for (index, app) in (0u16..).zip(everywhere(state)) {
            // Every third width for the states that fill a screen, every eleventh for the others;
            // each page another one, each at another height.
            let step = if matches!(name, "full" | "huge_numbers" | "failing") { 3 } else { 11 };
            for width in WIDTHS.skip(usize::from(index) % step).step_by(step) {
                assert_sound(&app, name, width, 10 + (width + number * 7 + index * 11) % 51);
            }
        }
    }
}

#[test]
fn no_text_covers_another_and_no_number_is_cut_at_any_height() {
    for (name, state) in [("failing", failing as State), ("huge_numbers", huge_numbers), ("fleet", fleet)] {
        for app in everywhere(state) {
            for width in [40, 66, 80, 110] {
                for height in 1..=60 {
                    assert_sound(&app, name, width, height);
                }
            }
        }
    }
}

/// Every state, page, width and height. It takes minutes, so it runs only on request.
#[test]
#[ignore = "takes minutes; run it after changing a layout"]
fn no_text_covers_another_and_no_number_is_cut_at_any_size() {
    for (name, state) in states() {
        for app in everywhere(state) {
            for width in WIDTHS {
                for height in 10..=60 {
                    assert_sound(&app, name, width, height);
                }
            }
        }
    }
}

#[test]
fn a_screen_too_small_for_anything_says_so() {
    for page in Page::ALL {
        let mut app = full();
        app.handle(Action::Show(page));
        let (buffer, _) = draw(&app, 39, 24);
        assert!(screen(&buffer).contains("too narrow"), "{}", screen(&buffer));
        let (buffer, _) = draw(&app, 80, 7);
        assert!(screen(&buffer).contains("too low"), "{}", screen(&buffer));
        let (buffer, _) = draw(&app, 40, 8);
        assert!(!screen(&buffer).contains("too "), "{}", screen(&buffer));
    }
}

/// An agent that watches interfaces in these states.
fn watching(states: &[(&str, &str)]) -> UiState {
    let agent = sample::watched("ns1.example", 3, |answer| {
        if let Some(capture) = answer.app.as_mut().and_then(|app| app.app.capture.as_mut()) {
            let interface = |(name, state): &(&str, &str)| CaptureInterface {
                name: (*name).to_owned(),
                ingress: "tcx".to_owned(),
                egress: Some("tcx".to_owned()),
                state: (*state).to_owned(),
                ..CaptureInterface::default()
            };
            capture.interfaces = states.iter().map(interface).collect();
        }
    });
    show(vec![agent], 2)
}

#[test]
fn an_interface_that_is_not_up_is_reported_on_top_of_every_page() {
    for (states, text) in [
        (&[("eth0", "up"), ("eth1", "down")][..], "▲ eth1 is down"),
        (&[("eth0", "gone")], "▲ eth0 is gone"),
        (&[("eth0", "gone"), ("eth1", "up"), ("eth2", "down")], "▲ 2 of 3 interfaces are not up"),
    ] {
        for page in [Page::Overview, Page::Clients, Page::Network, Page::Agent] {
            for width in [40, 80, 120] {
                let mut app = watching(states);
                app.handle(Action::Show(page));
                let (buffer, _) = draw(&app, width, 24);
                let screen = screen(&buffer);
                assert!(screen.lines().nth(1).is_some_and(|line| line.contains(text)), "{screen}");
                assert_sound(&app, text, width, 24);
            }
        }
        let mut app = watching(states);
        app.handle(Action::Show(Page::Fleet));
        assert!(screen(&draw(&app, 80, 24).0).contains("▲ link down"), "{text}");
    }
}

#[test]
fn the_first_rows_do_not_mention_interfaces_that_are_up_or_of_unknown_state() {
    for state in ["up", ""] {
        let mut app = watching(&[("eth0", state)]);
        app.handle(Action::Show(Page::Agent));
        let screen = screen(&draw(&app, 80, 24).0);
        assert!(!screen.contains('▲'), "{screen}");
        let shown = if state.is_empty() {
            "interface          eth0 · tcx"
        } else {
            "interface          up · eth0 · tcx"
        };
        assert!(screen.contains(shown), "{screen}");
    }
}

#[test]
fn the_agent_page_says_why_an_interface_has_its_hook() {
    let agent = sample::watched("ns1.example", 3, |answer| {
        if let Some(capture) = answer.app.as_mut().and_then(|app| app.app.capture.as_mut()) {
            capture.interfaces[0].ingress_reason = Some("veth copies".to_owned());
        }
    });
    let mut app = show(vec![agent], 2);
    app.handle(Action::Show(Page::Agent));
    let screen = screen(&draw(&app, 120, 40).0);
    assert!(screen.contains("up · eth0 · tcx · veth copies"), "{screen}");
}

#[test]
fn of_many_interfaces_those_that_are_not_up_come_first() {
    let names: Vec<String> = (0..20).map(|number| format!("veth{number}")).collect();
    let mut states: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "up")).collect();
    states[19].1 = "down";
    let mut app = watching(&states);
    app.handle(Action::Show(Page::Agent));
    let screen = screen(&draw(&app, 80, 40).0);
    let first = screen.lines().find(|line| line.contains("interface  ")).expect("there is one");
    assert!(first.contains("down · veth19"), "{screen}");
    assert!(screen.contains("and 12 interfaces more"), "{screen}");
}

#[test]
fn an_agent_page_that_is_longer_than_the_screen_is_scrolled() {
    let mut app = full();
    app.handle(Action::Show(Page::Agent));
    let mut regions = pages::draw(&mut Buffer::empty(Rect::new(0, 0, 60, 20)), Rect::new(0, 0, 60, 20), &app);
    assert!(regions.scroll_max.is_some_and(|rows| rows > 0));
    let (buffer, _) = draw(&app, 60, 20);
    assert!(screen(&buffer).contains("↑↓ scroll") && !screen(&buffer).contains("IP malformed"));
    std::mem::swap(&mut app.regions, &mut regions);
    app.handle(Action::Last);
    let (buffer, _) = draw(&app, 60, 20);
    assert!(screen(&buffer).contains("IP malformed"), "{}", screen(&buffer));
    assert_sound(&app, "scrolled", 60, 20);
}

#[test]
fn an_order_is_shown_only_above_the_list_that_has_it() {
    let mut app = full();
    for _by in ["rate", "change", "name"] {
        app.handle(Action::Sort);
    }
    for (width, height) in [(40, 40), (80, 24), (120, 40), (200, 60)] {
        let screen = screen(&draw(&app, width, height).0);
        assert_eq!(screen.matches("by name").count(), 1, "{screen}");
        let line = screen.lines().find(|line| line.contains("by name")).expect("it is there");
        assert!(line.contains("▸ Names, 2 labels ─"), "{screen}");
    }
    app.handle(Action::Show(Page::Agent));
    let screen = screen(&draw(&app, 80, 24).0);
    assert!(
        !screen.contains("by name") && !screen.contains("s sort") && !screen.contains("/ filter"),
        "{screen}"
    );
}

#[test]
fn a_key_that_does_nothing_is_not_offered() {
    for (name, state) in STATES {
        let app = state();
        let screen = screen(&draw(&app, 120, 24).0);
        let offered = |key: &str| screen.lines().last().is_some_and(|line| line.contains(key));
        assert_eq!(offered("s sort"), app.shows_lists(), "{name}");
        assert_eq!(offered("w window"), !matches!(name, "no_agent" | "older"), "{name}");
    }
}

#[test]
fn without_a_direction_the_screen_says_so_where_latency_would_stand_and_what_to_do() {
    let screen = |app: &UiState| screen(&draw(app, 80, 24).0);
    let shown = screen(&file());
    assert!(shown.contains("p95: no HOST"), "{shown}");
    assert!(shown.contains("tell pktvisord the addresses of HOST with -H"), "{shown}");
    let mut app = file();
    if let Some(agent) = app.agent_mut(0)
        && let Some(info) = &mut agent.info
        && let Some(capture) = &mut info.capture
    {
        capture.notes = vec![Printable::new("192.0.2.53 answers most: pktvisord -H 192.0.2.53/32 dns.pcap")];
    }
    let shown = screen(&app);
    assert!(shown.contains("• 192.0.2.53 answers most: pktvisord -H 192.0.2.53/32 dns.pcap"), "{shown}");
}
