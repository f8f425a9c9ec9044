//! Packets in depth: rates over time, kinds, sizes, rare packets, and addresses.

use ratatui::layout::Rect;

use super::{charts, draw_lists, kpis, panels};
use crate::{
    app::UiState,
    format,
    model::{AgentModel, ListKind, Observation},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{self, Fact, Panel, PanelGrid},
        grid::split_top,
        kpi::{self, Kpi, KpiStrip},
    },
};

/// Rows of the panels: title, nine lines.
const PANELS_HEIGHT: u16 = 10;
/// Rows left to the lists, if they can be spared.
const LISTS_HEIGHT_MIN: u16 = 4;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, app: &UiState, window: &Observation) {
    let Some(agent) = app.agent() else { return };
    let roomy = area.width >= 110 && area.height >= 34;
    let (kpis, rest) = split_top(area, if roomy { kpi::BIG } else { kpi::SMALL });
    draw_kpis(canvas, kpis, agent, window);
    let (_, below) = split_top(rest, PANELS_HEIGHT);
    let charts_height = if roomy { charts::height(agent, below, &ListKind::NETWORK, 5) } else { 0 };
    let (charts, rest) = split_top(rest, charts_height);
    charts::draw_row(canvas, charts, agent, charts::packets(window).iter());
    let rest = draw_panels(canvas, rest, agent, window);
    draw_lists(canvas, rest, app, window);
}

fn draw_kpis(canvas: &mut Canvas<'_>, area: Rect, agent: &AgentModel, window: &Observation) {
    let theme = canvas.theme;
    let [received, sent] = kpis::packet_kpis(agent, window, theme);
    let bits = |now: Option<u64>, counted: u64| {
        if !window.ours {
            return format::NOTHING.to_owned();
        }
        let bytes = if agent.is_file() { window.per_second(counted) } else { now };
        bytes.map_or_else(|| format::NOTHING.to_owned(), format::bits_per_second)
    };
    let plain =
        |label: &str, value| Kpi { label: label.to_owned(), value, style: theme.value, past: Vec::new() };
    let packets = &window.packets;
    let [first, second] = if window.has_no_direction() {
        let mean = window.per_second(packets.bytes_total);
        let mean = mean.map_or_else(|| format::NOTHING.to_owned(), format::bits_per_second);
        [plain("Bits avg", mean), plain("Bytes", format::count(packets.bytes_total))]
    } else {
        [
            plain("Bits in", bits(agent.rates.map(|rates| rates.bytes_in), packets.bytes_in)),
            plain("Bits out", bits(agent.rates.map(|rates| rates.bytes_out), packets.bytes_out)),
        ]
    };
    let sources = plain("Sources in", format::count(packets.cardinality.src_ips_in));
    let kpis = [received, sent, first, second, sources];
    canvas.render(KpiStrip { kpis: &kpis, theme }, area);
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
