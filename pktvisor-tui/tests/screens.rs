//! What the screens look like: every page, at every size that matters, in every state that an agent can be in.

mod support;

use std::time::Duration;

use pktvisor_api::{Period, PeriodDocument};
use pktvisor_tui::{
    app::{Action, App, Page},
    client::Update,
    model::Agent,
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
use support::sample;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// A screen, made anew each time.
type State = fn() -> App;

/// States by name. Each is a fleet of one, but for the fleet's page.
const STATES: [(&str, State); 9] = [
    ("full", full),
    ("empty", empty),
    ("stale", stale),
    ("no_agent", no_agent),
    ("older", older),
    ("long_names", long_names),
    ("odd_bytes", odd_bytes),
    ("huge_numbers", huge_numbers),
    ("file", file),
];

/// A capture file, read to its end by an agent that was not told who HOST is.
fn file() -> App {
    let agent = sample::watched("ns1.example", 3, |answer| {
        let periods = [Some(&mut answer.window), answer.live.as_mut()].into_iter().flatten();
        for period in periods.chain(&mut answer.closed) {
            let packets = &mut period.packets;
            (packets.received, packets.sent, packets.unknown) = (0, 0, packets.total);
            (packets.bytes_in, packets.bytes_out) = (0, 0);
            packets.rates = Default::default();
            packets.cardinality = Default::default();
            for list in
                [&mut packets.top_ipv4, &mut packets.top_ipv6, &mut packets.top_geo_loc, &mut packets.top_asn]
            {
                list.clear();
            }
            for direction in [&mut period.dns.xact.inbound, &mut period.dns.xact.outbound] {
                *direction = Default::default();
            }
        }
        answer.rates = Some(Default::default());
        if let Some(capture) = answer.app.as_mut().and_then(|app| app.app.capture.as_mut()) {
            capture.target = "/var/captures/2020-03-24.pcap".to_owned();
            capture.mode = "file".to_owned();
            capture.hook = None;
            capture.finished = true;
            capture.notes.clear();
        }
    });
    show(vec![agent], 2)
}

fn show(agents: Vec<Agent>, now: u64) -> App {
    let mut app = App::new(agents, None, Theme::dark());
    app.handle(Action::Show(Page::Overview));
    app.tick(Duration::from_secs(now));
    app
}

fn full() -> App {
    show(vec![sample::watched("ns1.example", 90, |_| {})], 89)
}

/// The agent answers; nothing has come by yet.
fn empty() -> App {
    let clear = |period: &mut Period| {
        let span = period.period;
        *period = Period { period: span, ..Period::default() };
    };
    let agent = sample::watched("ns1.example", 3, |answer| {
        clear(&mut answer.window);
        if let Some(live) = &mut answer.live {
            clear(live);
        }
        answer.closed.clear();
        answer.rates = Some(Default::default());
        if let Some(app) = &mut answer.app {
            app.app.ledger = Some(Default::default());
        }
    });
    show(vec![agent], 2)
}

fn stale() -> App {
    let mut agent = sample::watched("ns1.example", 90, |_| {});
    for second in [90, 92, 96, 104] {
        agent.update(sample::refused(), Duration::from_secs(second));
    }
    show(vec![agent], 107)
}

fn no_agent() -> App {
    let mut agent = Agent::new("ns1.example");
    agent.update(sample::refused(), Duration::from_secs(1));
    show(vec![agent], 3)
}

fn older() -> App {
    let mut agent = Agent::new("ns1.example");
    agent.update(Update::Answer(Box::new(sample::older_answer())), Duration::from_secs(1));
    show(vec![agent], 2)
}

fn renamed(label: &str, name: impl Fn(usize) -> String) -> App {
    let agent = sample::watched(label, 5, |answer| {
        for list in sample::lists(&mut answer.window) {
            for (place, entry) in list.iter_mut().enumerate() {
                entry.name = name(place);
            }
        }
        if let Some(capture) = answer.app.as_mut().and_then(|app| app.app.capture.as_mut()) {
            capture.target = name(0);
            capture.notes = vec![name(1)];
        }
    });
    show(vec![agent], 4)
}

fn long_names() -> App {
    let label = |length| "abcdefghijklmnopqrstuvwxyz".repeat(3).chars().take(length).collect::<String>();
    renamed(&format!("{}.example", label(63)), |place| {
        format!("{}.{}.{}.{}.example", label(63), label(63), label(63), label(40 + place))
    })
}

fn odd_bytes() -> App {
    let names = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}.example",
        "tab\there\r\nand\0there",
        "right\u{202e}tfel.example",
        "wide東京.example",
        "zero\u{200b}width\u{301}",
        "c1\u{9b}31m\u{7f}",
    ];
    renamed("\u{1b}[31mns1\u{9b}m", |place| names[place % names.len()].to_owned())
}

fn huge_numbers() -> App {
    let huge = |period: &Period| -> Period {
        let mut value = serde_json::to_value(period).expect("it serialises");
        sample::replace_numbers(&mut value, u64::MAX);
        value["period"] = serde_json::json!({ "start_ts": sample::START, "length": 1 });
        let document = serde_json::json!({ "5m": value });
        let document: PeriodDocument = serde_json::from_value(document).expect("2^64 - 1 is a u64");
        document.into_values().next().expect("one period")
    };
    let agent = sample::watched("ns1.example", 5, |answer| {
        answer.window = huge(&answer.window);
        answer.live = answer.live.as_ref().map(&huge);
        answer.closed = answer.closed.iter().map(&huge).collect();
        answer.rates = Some(pktvisor_api::DirectionRates {
            received: u64::MAX,
            sent: u64::MAX,
            unknown: u64::MAX,
            bytes_in: u64::MAX,
            bytes_out: u64::MAX,
            dns_queries: u64::MAX,
            dns_replies: u64::MAX,
        });
        if let Some(app) = &mut answer.app {
            let mut value = serde_json::to_value(app.app.ledger).expect("it serialises");
            sample::replace_numbers(&mut value, u64::MAX);
            app.app.ledger = serde_json::from_value(value).expect("2^64 - 1 is a u64");
            app.app.up_time_min = f64::MAX;
            app.dns.xact.open = u64::MAX;
        }
    });
    show(vec![agent], 4)
}

/// A fleet of every state.
fn fleet() -> App {
    let mut agents = Vec::new();
    for (name, state) in STATES {
        let mut agent = state().agent().expect("there is one").clone();
        if !matches!(name, "odd_bytes" | "long_names") {
            agent.label = pktvisor_tui::model::Printable::new(&format!("{name}.example"));
        }
        // All but the silent ones have just answered.
        if !matches!(name, "stale" | "no_agent") {
            agent.answered_at = Some(Duration::from_secs(106));
        }
        agents.push(agent);
    }
    let mut app = App::new(agents, None, Theme::dark());
    app.tick(Duration::from_secs(107));
    app
}

fn render(app: &App, (width, height): (u16, u16)) -> Buffer {
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

fn at_all_sizes(app: &App) -> String {
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
fn a_list_on_the_whole_screen() {
    for (name, state) in [("full", full as State), ("older", older), ("long_names", long_names)] {
        let mut app = state();
        app.handle(Action::Open);
        app.handle(Action::Down);
        insta::assert_snapshot!(format!("zoom_{name}"), at_all_sizes(&app));
    }
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

/// All pages, zoomed and not, with help and a filter.
fn everywhere(state: State) -> Vec<App> {
    let mut apps = Vec::new();
    for page in Page::ALL {
        for actions in [&[][..], &[Action::Open], &[Action::Help], &[Action::Filter, Action::Type('x')]] {
            let mut app = state();
            app.handle(Action::Show(page));
            for action in actions {
                app.handle(*action);
            }
            apps.push(app);
        }
    }
    apps
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
fn every_size_from_nothing_up_is_drawn() {
    for (_, state) in STATES.into_iter().chain([("fleet", fleet as State)]) {
        for app in everywhere(state) {
            for width in [0, 1, 3, 19, 21, 40, 57, 79, 110, 255] {
                for height in [0, 1, 2, 3, 5, 8, 12, 23, 41, 70] {
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
fn stale_data_is_told_by_words_and_colour() {
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
