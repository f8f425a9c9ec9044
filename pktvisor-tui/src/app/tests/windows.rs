//! Tests of keys that choose the window.

use super::*;

fn keeping(periods: u64) -> UiState {
    let mut app = app(&["ns1"]);
    let info = crate::model::AgentInfo { periods, ..Default::default() };
    app.agent_mut(0).expect("there is one").info = Some(info);
    app
}

fn windows_after(app: &mut UiState, key: &str, presses: usize) -> Vec<u64> {
    let mut window = || {
        press(app, key);
        app.wanted(0).window.map_or(0, AskedWindow::periods)
    };
    (0..presses).map(|_| window()).collect()
}

#[test]
fn windows_go_from_the_live_period_to_all_that_the_agent_keeps_and_around() {
    let mut app = keeping(12);
    assert_eq!(app.wanted(0).window, None);
    assert_eq!(windows_after(&mut app, "w", 8), [6, 7, 8, 9, 10, 12, 1, 2]);
    assert_eq!(windows_after(&mut app, "W", 3), [1, 12, 10]);
}

#[test]
fn at_the_default_window_both_keys_change_it() {
    assert_eq!(windows_after(&mut keeping(5), "w", 2), [1, 2]);
    assert_eq!(windows_after(&mut keeping(5), "W", 2), [4, 3]);
    assert_eq!(windows_after(&mut keeping(2), "w", 3), [1, 2, 1]);
    assert_eq!(windows_after(&mut keeping(2), "W", 3), [1, 2, 1]);
}

#[test]
fn a_window_that_cannot_be_chosen_is_not_offered() {
    let mut app = keeping(1);
    assert!(!app.can_change_window());
    assert_eq!(windows_after(&mut app, "w", 1), [0]);
    let mut app = keeping(5);
    assert!(app.can_change_window());
    app.agent_mut(0).expect("there is one").link = AgentLink::Saved;
    assert!(!app.can_change_window());
}
