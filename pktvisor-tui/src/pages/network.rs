//! Packets in depth: rates over time, kinds, sizes, rare packets, and addresses.

use ratatui::layout::Rect;

use super::{
    charts, draw_lists, panels,
    tiles::{self, Tiles},
};
use crate::{
    app::UiState,
    format,
    model::{AgentModel, ListKind, Observation},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{self, Fact, Panel, PanelGrid},
        grid::split_top,
    },
};

/// Rows of the panels: title, nine lines.
const PANELS_HEIGHT: u16 = 10;
/// Rows left to the lists, if they can be spared.
const LISTS_HEIGHT_MIN: u16 = 4;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let roomy = area.width >= 110 && area.height >= 34;
    let (strip, rest) = split_top(area, tiles::height(app, area));
    let tiles = Tiles::new(agent, window, &app.theme);
    let [bits_in, bits_out] = tiles.bits_per_second();
    let total = tiles.count_of_window("Packets", window.packets.total);
    let sources = tiles.count_of_window("Sources in", window.packets.cardinality.src_ips_in);
    tiles.draw(canvas, strip, &[tiles.packets(), bits_in, bits_out, total, sources]);
    let (_, below) = split_top(rest, PANELS_HEIGHT);
    let charts_height = if roomy { charts::height(agent, below, &ListKind::NETWORK, 5) } else { 0 };
    let (charts, rest) = split_top(rest, charts_height);
    charts::draw_row(canvas, charts, agent, charts::packets(window).iter());
    let rest = draw_panels(canvas, rest, agent, window);
    draw_lists(canvas, rest, app, window);
}

/// Draws the panels in as many rows as are needed and can be spared. Returns the area below.
fn draw_panels(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) -> Rect {
    let theme = canvas.theme;
    let mut panels = vec![panels::packets_panel(window, theme), panels::rates_panel(agent, window, theme)];
    if window.ours {
        panels.push(sizes_panel(window, theme));
        panels.push(oddities_panel(window, theme));
    }
    let spare = area.height.saturating_sub(LISTS_HEIGHT_MIN) / PANELS_HEIGHT;
    let rows = facts::rows(area.width, &panels).min(spare.max(1));
    let (panels_area, rest) = split_top(area, rows * PANELS_HEIGHT);
    canvas.render(PanelGrid { panels: &panels, panel_height: PANELS_HEIGHT, theme }, panels_area);
    rest
}

/// Packets by wire length.
fn sizes_panel(window: &Observation, theme: &Theme) -> Panel {
    const LABELS: [&str; 7] = ["< 64", "< 128", "< 256", "< 512", "< 1024", "< 1519", "≥ 1519"];
    let packets = &window.packets;
    Panel {
        title: "Bytes".to_owned(),
        remark: match packets.bytes_total.checked_div(packets.total) {
            Some(mean) => format!("mean {}", format::count(mean)),
            None => String::new(),
        },
        cell_width: 6,
        heads: vec![],
        facts: LABELS
            .into_iter()
            .zip(packets.sizes)
            .map(|(label, count)| Fact::part(label, count, packets.total, theme.value, theme.text))
            .collect(),
    }
}

/// Packets that are rare, and a sign of trouble if they are not.
fn oddities_panel(window: &Observation, theme: &Theme) -> Panel {
    let packets = &window.packets;
    let number = |label, value| Fact::numbers(label, vec![(format::count(value), theme.value)]);
    Panel {
        title: "Others".to_owned(),
        remark: String::new(),
        cell_width: 6,
        heads: vec![],
        facts: vec![
            number("TCP SYN", packets.tcp_syn),
            number("SYN+ACK", packets.tcp_syn_ack),
            number("TCP RST", packets.tcp_rst),
            number("fragments", packets.fragments),
            number("not IP", packets.non_ip),
            number("malformed", packets.malformed),
            number("no direct.", packets.unknown),
            number("VLAN", packets.vlan),
            number("tunnelled", packets.tunnelled),
        ],
    }
}
