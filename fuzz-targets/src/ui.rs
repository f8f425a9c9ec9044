//! An agent's answers in the terminal UI: decoding, the model, the union of a fleet, and the screen.

mod changes;
mod documents;
mod sample;

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use changes::{ChangedDocuments, change};
use documents::Documents;
use pktvisor_api::{SketchDocument, TopEntry};
use pktvisor_tui::app::{Action, Page, UiState};
use pktvisor_tui::client::Update;
use pktvisor_tui::model::{AgentModel, Union, UnionPart};
use pktvisor_tui::pages;
use pktvisor_tui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::work;

const ACTIONS_MAX: usize = 6;
const TIME_MAX: Duration = Duration::from_secs(2);
const SIZES: [(u16, u16); 6] = [(80, 24), (120, 40), (200, 60), (1, 1), (20, 5), (63, 9)];

/// A byte with the kind of the input, and whether sketches are merged; a document as text, or changes to the documents of an agent.
pub fn run(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    work::within(TIME_MAX, || {
        if kind % 4 == 0 {
            let mut documents = Documents::default();
            documents.decode_all(rest);
            show(documents.clone(), documents, &mut Unstructured::new(&[]));
        } else {
            let mut input = Unstructured::new(rest);
            let [mut first, mut second] = [ChangedDocuments::default(), ChangedDocuments::default()];
            let _ = change(&mut first, &mut input).and_then(|()| change(&mut second, &mut input));
            let documents = [&first, &second].map(|document| {
                let documents = Documents::of(document);
                // To merge sketches takes longer than all else.
                if kind / 4 % 4 == 0 { documents } else { documents.without_sketches() }
            });
            let [first, second] = documents;
            show(first, second, &mut input);
        }
    });
}

/// Draws screens of two agents, of which the second answers twice.
fn show(first: Documents, second: Documents, input: &mut Unstructured<'_>) {
    let sketches = [first.sketches.clone(), second.sketches.clone()];
    let mut agents = [AgentModel::new("one"), AgentModel::new("two")];
    let answers = [(0, first.clone()), (1, first), (1, second)];
    for (second, (agent, documents)) in (1..).zip(answers) {
        let update = Update::Answer(Box::new(documents.answer()));
        agents[agent].update(update, Duration::from_secs(second));
    }
    let parts: Vec<UnionPart> = sketches.into_iter().flatten().map(UnionPart::Sketches).collect();
    let union = Union::of(&parts);
    check_lists(&union.merged.document);
    let mut app = UiState::new(agents.into(), None, Theme::dark());
    app.update_fleet(union);
    app.tick(Duration::from_secs(4));
    draw(&mut app, (80, 24));
    for _ in 0..ACTIONS_MAX {
        let Ok((action, size)) = <(u8, u8)>::arbitrary(input) else { break };
        if input.is_empty() {
            break;
        }
        app.handle(self::action(action));
        draw(&mut app, SIZES[usize::from(size) % SIZES.len()]);
    }
}

fn action(number: u8) -> Action {
    let page = Page::ALL[usize::from(number / 16) % Page::ALL.len()];
    match number % 16 {
        0 | 1 => Action::Show(page),
        2 => Action::Open,
        3 => Action::Back,
        4 => Action::Down,
        5 => Action::Right,
        6 => Action::Last,
        7 => Action::Findings,
        8 => Action::Sort,
        9 => Action::Wider,
        10 => Action::Pause,
        11 => Action::NextAgent,
        12 => Action::Help,
        13 => Action::Filter,
        14 => Action::Type('e'),
        _ => Action::Click(u16::from(number), 5),
    }
}

/// Every cell holds what a terminal shows and does not obey.
fn draw(app: &mut UiState, (width, height): (u16, u16)) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    app.regions = pages::draw(&mut buffer, area, app);
    for cell in buffer.content() {
        let is_odd =
            |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        assert!(!cell.symbol().chars().any(is_odd), "{:?}", cell.symbol());
    }
}

/// The bounds of a union hold for all answers of its agents.
fn check_lists(document: &SketchDocument) {
    let (packets, dns) = (&document.period.packets, &document.period.dns);
    for list in [&packets.top_ipv4, &packets.top_ipv6, &dns.top_qname2, &dns.top_nxdomain, &dns.top_qtype] {
        for TopEntry { name, estimate, lower, upper, .. } in list {
            let (lower, upper) = (lower.unwrap_or(0), upper.unwrap_or(u64::MAX));
            assert!((lower..=upper).contains(estimate), "{name:?}: {lower} {estimate} {upper}");
        }
    }
}
