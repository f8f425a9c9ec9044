//! Snapshots of the screens: every page, at the important sizes, in every state of an agent.

mod support;

use std::time::Duration;

use pktvisor_api::{Period, TopEntry};
use pktvisor_tui::{
    app::{Action, Page, UiState},
    client::{FilterKey, FocusAnswer, LongLists, PacketsUpdate, TrafficFilter, Update},
    pages,
    theme::Theme,
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier},
};
use support::{
    sample,
    states::{
        STATES, State, everywhere, failing, fleet, fleet_union, full, huge_numbers, long_names, older, stale,
        whole_fleet,
    },
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn render(app: &UiState, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a buffer");
    terminal
        .draw(|frame| {
            let area = frame.area();
            pages::draw(frame.buffer_mut(), area, app);
        })
        .expect("a buffer cannot fail");
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let Rect { width, height, .. } = buffer.area;
    let mut text = format!("{width}x{height}\n");
    for row in 0..height {
        let mut line = String::new();
        let mut column = 0;
        while column < width {
            let symbol = buffer[(column, row)].symbol();
            line.push_str(symbol);
            column += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap_or(1).max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn at_all_sizes(app: &UiState) -> String {
    SIZES.map(|size| text(&render(app, size))).join("\n")
}

fn page_in_all_states(page: Page) {
    for (name, state) in STATES {
        let mut app = state();
        app.handle(Action::Show(page));
        let snapshot = format!("{}_{name}", page.name().to_lowercase());
        insta::assert_snapshot!(snapshot, at_all_sizes(&app));
    }
}

#[test]
fn the_overview_in_all_states() {
    page_in_all_states(Page::Overview);
}

#[test]
fn the_dns_page_in_all_states() {
    page_in_all_states(Page::Dns);
}

#[test]
fn the_pages_of_clients_and_servers_in_all_states() {
    page_in_all_states(Page::Clients);
    page_in_all_states(Page::Servers);
}

#[test]
fn the_page_of_zones_in_all_states() {
    page_in_all_states(Page::Zones);
}

#[test]
fn the_network_page_in_all_states() {
    page_in_all_states(Page::Network);
}

#[test]
fn the_agent_page_in_all_states() {
    page_in_all_states(Page::Agent);
}

#[test]
fn the_fleet_with_an_agent_in_every_state() {
    insta::assert_snapshot!("fleet", at_all_sizes(&fleet()));
}

#[test]
fn the_fleet_with_the_union_of_its_agents() {
    insta::assert_snapshot!("fleet_union", at_all_sizes(&fleet_union()));
}

#[test]
fn the_whole_fleet_as_one_agent() {
    let mut app = whole_fleet();
    app.handle(Action::Open);
    insta::assert_snapshot!("whole_fleet", at_all_sizes(&app));
    app.handle(Action::Show(Page::Clients));
    app.handle(Action::Open);
    insta::assert_snapshot!("whole_fleet_clients", at_all_sizes(&app));
}

#[test]
fn a_list_on_the_whole_screen() {
    for (name, state) in [("full", full as State), ("older", older), ("long_names", long_names)] {
        let mut app = state();
        app.handle(Action::Open);
        app.handle(Action::Down);
        insta::assert_snapshot!(format!("zoom_{name}"), at_all_sizes(&app));
    }
}

#[test]
fn all_findings_are_listed_with_the_details_of_one() {
    for (name, state) in [("failing", failing as State), ("long_names", long_names), ("full", full)] {
        let mut app = state();
        app.handle(Action::Findings);
        app.handle(Action::Down);
        insta::assert_snapshot!(format!("findings_{name}"), at_all_sizes(&app));
    }
}

#[test]
fn the_worst_finding_is_on_top_of_every_page() {
    for page in Page::ALL {
        let mut app = failing();
        app.handle(Action::Show(page));
        let screen = text(&render(&app, (80, 24)));
        let line = screen.lines().nth(3).expect("a third row");
        assert!(line.starts_with(" ✕ 198.51.100.53 leaves 98.2 %"), "{screen}");
        assert!(line.ends_with("+2 more"), "{screen}");
    }
}

/// An agent that is looked into for a zone.
fn focused(period: Result<Period, String>) -> UiState {
    let mut app = full();
    let filter = TrafficFilter::default().with(FilterKey::Zone, "shop\u{1b}.example");
    let agent = app.agent_mut(0).expect("there is one");
    agent.set_focus(Some(filter.clone()));
    let period = period.map(|period| ("1m".to_owned(), period));
    let mut answer = sample::answer(90);
    answer.focus = Some(FocusAnswer { filter, period });
    agent.update(Update::Answer(Box::new(answer)), Duration::from_secs(89));
    app
}

#[test]
fn what_is_looked_into_is_named_on_top_of_its_pages() {
    insta::assert_snapshot!("focus", at_all_sizes(&focused(Ok(sample::busy(sample::START, 12)))));
    let refused = focused(Err("the agent answers: eight others look already".to_owned()));
    let screen = text(&render(&refused, (80, 24)));
    assert!(screen.contains("◎ only zone shop\\u{1b}.example"), "{screen}");
    assert!(screen.contains("the agent answers: eight others look already"), "{screen}");
}

#[test]
fn a_long_list_has_rates_and_is_searched_as_a_whole() {
    let mut app = full();
    let mut answer = sample::answer(90);
    let entry = |number: u64| TopEntry {
        name: format!("name{number}.example"),
        estimate: 100_000 / (number + 1),
        lower: Some(100_000 / (number + 1)),
        upper: Some(100_000 / (number + 1) + 7),
        scaled: None,
    };
    let mut window = answer.window.clone();
    window.dns.top_qname2 = (0..1000).map(entry).collect();
    let mut rolling = Period::default();
    rolling.period.length = 10;
    rolling.dns.top_qname2 =
        (0..1000).rev().step_by(3).map(|number| TopEntry { estimate: number, ..entry(number) }).collect();
    answer.long = Some(LongLists { window, rolling: Some(rolling) });
    app.handle(Action::Open);
    let agent = app.agent_mut(0).expect("there is one");
    agent.update(Update::Answer(Box::new(answer)), Duration::from_secs(89));
    insta::assert_snapshot!("zoom_long", at_all_sizes(&app));
    app.handle(Action::Sort);
    app.handle(Action::Filter);
    "name99".chars().for_each(|character| {
        app.handle(Action::Type(character));
    });
    insta::assert_snapshot!("zoom_long_by_rate", text(&render(&app, (80, 24))));
}

#[test]
fn help_explains_the_keys_and_the_terms() {
    let mut app = full();
    app.handle(Action::Help);
    insta::assert_snapshot!("help", at_all_sizes(&app));
}

#[test]
fn a_filter_shows_what_matches_and_of_how_many() {
    let mut app = full();
    app.handle(Action::Filter);
    for character in "EXAMPLE.N".chars() {
        app.handle(Action::Type(character));
    }
    insta::assert_snapshot!("filter", text(&render(&app, (120, 40))));
}

#[test]
fn a_paused_screen_says_so() {
    let mut app = full();
    app.handle(Action::Pause);
    app.tick(Duration::from_secs(200));
    let screen = text(&render(&app, (80, 24)));
    assert!(screen.lines().nth(1).is_some_and(|line| line.ends_with("‖ paused  1m51s")), "{screen}");
    assert!(screen.contains("p go on"), "{screen}");
}

#[test]
fn no_control_character_ever_reaches_the_terminal() {
    for (name, state) in STATES.into_iter().chain([("fleet", fleet as State)]) {
        for app in everywhere(state) {
            for cell in render(&app, (120, 40)).content() {
                let hostile = |c: char| {
                    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
                };
                assert!(!cell.symbol().contains(hostile), "{name}: {:?}", cell.symbol());
            }
        }
    }
}

#[test]
fn what_becomes_of_saved_packets_stands_in_the_last_row() {
    let mut app = full();
    for (packets, shown) in [
        (PacketsUpdate::Saving { file: "a.pcapng".to_owned(), bytes: 12_345 }, "a.pcapng 12.3k bytes"),
        (PacketsUpdate::Saved { file: "a.pcapng".to_owned(), bytes: 7 }, "saved packets: a.pcapng 7 bytes"),
        (PacketsUpdate::Failed("no\u{1b}[2J".to_owned()), "no packets: no\\u{1b}[2J"),
    ] {
        app.packets = Some(packets);
        let screen = text(&render(&app, (80, 24)));
        assert!(screen.lines().last().is_some_and(|line| line.contains(shown)), "{screen}");
    }
}

#[test]
fn every_size_from_nothing_up_is_drawn() {
    for (_, state) in STATES.into_iter().chain([("fleet", fleet as State)]) {
        for app in everywhere(state) {
            for width in [0, 1, 19, 40, 57, 79, 110, 255] {
                for height in [0, 1, 3, 8, 12, 23, 41] {
                    render(&app, (width, height));
                }
            }
        }
    }
}

#[test]
fn without_colour_there_is_none_on_any_screen() {
    for (name, state) in STATES {
        for mut app in everywhere(state) {
            app.theme = Theme::mono();
            for cell in render(&app, (120, 40)).content() {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{name}");
            }
        }
    }
}

#[test]
fn only_the_sixteen_colours_of_the_terminal_are_used_and_never_a_background() {
    for theme in [Theme::dark(), Theme::light()] {
        for mut app in everywhere(stale) {
            app.theme = theme;
            for cell in render(&app, (120, 40)).content() {
                assert!(!matches!(cell.fg, Color::Rgb(..) | Color::Indexed(_)), "{:?}", cell.fg);
                assert_eq!(cell.bg, Color::Reset);
            }
        }
    }
}

#[test]
fn stale_data_is_marked_by_words_and_colour() {
    let buffer = render(&stale(), (80, 24));
    let screen = text(&buffer);
    assert!(screen.contains("▲ stale    18s"), "{screen}");
    assert!(screen.contains("ns1.example: cannot connect: connection refused; next try in 5s"), "{screen}");
    assert_eq!(buffer[(1, 1)].fg, Color::Red);
    assert!(buffer[(1, 1)].modifier.contains(Modifier::BOLD));
}

/// Where labels stand: the column and row of every word that has no digit in it.
fn label_places(buffer: &Buffer, labels: &[&str]) -> Vec<(String, usize, usize)> {
    let mut places = Vec::new();
    for (row, line) in text(buffer).lines().enumerate() {
        for label in labels {
            for (byte, _) in line.match_indices(label) {
                let column = line.get(..byte).map_or(0, |before| before.chars().count());
                places.push(((*label).to_owned(), row, column));
            }
        }
    }
    places
}

#[test]
fn nothing_jumps_when_numbers_grow() {
    let labels =
        ["UDP ", "TCP ", "IPv4 ", "IPv6 ", "NOERROR ", "SERVFAIL ", "REFUSED ", "p50", "xacts", "names "];
    for size in SIZES {
        let small = label_places(&render(&full(), size), &labels);
        let large = label_places(&render(&huge_numbers(), size), &labels);
        let keep = |places: Vec<(String, usize, usize)>| -> Vec<(String, usize, usize)> {
            // Lists have rows named like labels; what is above them is compared.
            places.into_iter().filter(|(_, row, _)| *row < 14).collect()
        };
        assert_eq!(keep(small), keep(large), "{size:?}");
    }
}
