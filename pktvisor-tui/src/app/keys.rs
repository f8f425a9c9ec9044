//! Keys and their actions, and the table of keys that help shows.

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::{Page, action::Action};

/// The meaning of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputMode {
    /// Every key is a command.
    Normal,
    /// Keys are text of the filter.
    Typing,
}

/// Keys as help shows them, and their effects.
pub const KEYS: [(&str, &str); 17] = [
    ("1 to 8", "show a page; Tab and Shift-Tab go through them"),
    ("↑ ↓ ← →", "move among lists, rows or agents (also h j k l)"),
    (
        "Enter",
        "fill the screen with the focused list; then look into its row, or into a finding, or an agent",
    ),
    ("f", "list the findings: since when, the figures, and who"),
    ("Esc", "out again: help, findings, filter, full screen, what is looked into, then the fleet"),
    ("c", "save the packets of the row, the finding or what is looked into: 30 s, a pcapng file here"),
    ("/", "filter names and agents, on the full screen up to 1,000 rows; Enter keeps it, Esc drops it"),
    (
        "s",
        "sort the list by count, rate of the last 10 s, change against the window, name, upper bound; the fleet",
    ),
    ("w W", "more, fewer minutes: from the live period to all that the agent keeps, and around (also + -)"),
    ("Space p", "pause the screen; data keeps coming in behind it"),
    ("n N", "next, previous agent"),
    ("r", "ask the agent now, also when it is waited for"),
    ("Home End", "first, last"),
    ("?", "this help"),
    ("Ctrl-Z", "suspend; fg brings it back"),
    ("q Ctrl-C", "quit"),
    ("mouse", "with --mouse: click tabs, lists and rows; click again to open; the wheel moves"),
];

/// The action of a key, if it has one.
pub fn action_of_key(key: KeyEvent, mode: InputMode) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            _ => None,
        };
    }
    match mode {
        InputMode::Typing => typing(key.code),
        InputMode::Normal => normal(key.code),
    }
}

fn typing(code: KeyCode) -> Option<Action> {
    match code {
        KeyCode::Esc => Some(Action::Back),
        KeyCode::Enter => Some(Action::Accept),
        KeyCode::Backspace => Some(Action::Erase),
        KeyCode::Char(character) if !character.is_control() => Some(Action::Type(character)),
        KeyCode::Up => Some(Action::Up),
        KeyCode::Down => Some(Action::Down),
        _ => None,
    }
}

fn normal(code: KeyCode) -> Option<Action> {
    Some(match code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char('?') | KeyCode::F(1) => Action::Help,
        KeyCode::Char(digit @ '1'..='8') => {
            let index = usize::try_from(digit.to_digit(10)?).ok()?.checked_sub(1)?;
            Action::Show(*Page::ALL.get(index)?)
        }
        KeyCode::Tab => Action::NextPage,
        KeyCode::BackTab => Action::PreviousPage,
        KeyCode::Up | KeyCode::Char('k') => Action::Up,
        KeyCode::Down | KeyCode::Char('j') => Action::Down,
        KeyCode::Left | KeyCode::Char('h') => Action::Left,
        KeyCode::Right | KeyCode::Char('l') => Action::Right,
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Enter | KeyCode::Char('z') => Action::Open,
        KeyCode::Esc => Action::Back,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('c') => Action::SavePackets,
        KeyCode::Char('f') => Action::Findings,
        KeyCode::Char('s') => Action::Sort,
        KeyCode::Char('w' | '+') => Action::Wider,
        KeyCode::Char('W' | '-') => Action::Narrower,
        KeyCode::Char(' ' | 'p') => Action::Pause,
        KeyCode::Char('n') => Action::NextAgent,
        KeyCode::Char('N') => Action::PreviousAgent,
        KeyCode::Char('r') => Action::Retry,
        _ => return None,
    })
}

/// The action of a mouse event, if it has one.
pub fn action_of_mouse(event: MouseEvent) -> Option<Action> {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(event.column, event.row)),
        MouseEventKind::Down(MouseButton::Right) => Some(Action::Back),
        MouseEventKind::ScrollDown => Some(Action::Down),
        MouseEventKind::ScrollUp => Some(Action::Up),
        _ => None,
    }
}
