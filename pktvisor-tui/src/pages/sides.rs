//! Who asks HOST, or whom HOST asks: the same figures and counters of one direction, and the lists of
//! the addresses at its other end.

use pktvisor_api::Quantiles;
use ratatui::layout::Rect;

use super::{
    draw_lists,
    tiles::{self, Tiles},
};
use crate::{
    app::UiState,
    format,
    model::{Observation, QueryDirection, Side},
    theme::Theme,
    widgets::{
        Canvas,
        facts::{Cell, FieldLines},
        grid::{split_left, split_top},
    },
};

/// Rows left to the lists, if they can be spared.
const LISTS_HEIGHT_MIN: u16 = 5;

pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    app: &UiState,
    window: &Observation,
    direction: QueryDirection,
) {
    let Some(agent) = app.agent() else { return };
    let theme = canvas.theme;
    let (strip, rest) = split_top(area, tiles::height(app, area));
    let tiles = Tiles::new(agent, window, &app.theme);
    tiles.draw(canvas, strip, &tiles.of_direction(direction));
    let fields = fields(&side_of(window, direction), theme);
    let lines = FieldLines { fields: &fields, theme };
    let height = lines.height(rest.width.saturating_sub(1));
    let has_room = window.has_sides() && rest.height > height + LISTS_HEIGHT_MIN;
    let rest = if has_room {
        let (counters, rest) = split_top(rest, height);
        canvas.render(lines, split_left(counters, 1).1);
        split_top(rest, 1).1
    } else {
        rest
    };
    draw_lists(canvas, rest, app, window);
}

/// The counters of a direction.
fn side_of(window: &Observation, direction: QueryDirection) -> Side {
    match direction {
        QueryDirection::In => Side::inbound(&window.dns),
        QueryDirection::Out => Side::outbound(&window.dns),
    }
}

/// All counters of a direction; shares are of its queries, or of its replies.
fn fields(side: &Side, theme: &Theme) -> Vec<(&'static str, Cell)> {
    let number = |value| (format::count(value), theme.value);
    let of = |part, whole| (format::percent(format::share(part, whole)), theme.text);
    let of_queries = |part| of(part, side.queries);
    let of_replies = |part| of(part, side.replies);
    let median = |quantiles: Option<Quantiles>| match quantiles {
        Some(quantiles) => (format::count(quantiles.p50), theme.text),
        None => (format::NOTHING.to_owned(), theme.label),
    };
    vec![
        ("queries", number(side.queries)),
        ("TCP", of_queries(side.tcp_queries)),
        ("IPv6", of_queries(side.ipv6_queries)),
        ("RD", of_queries(side.rd_queries)),
        ("AD", of_queries(side.ad_queries)),
        ("CD", of_queries(side.cd_queries)),
        ("DO", of_queries(side.do_queries)),
        ("ECS", of_queries(side.ecs_queries)),
        ("cookie", of_queries(side.cookie_queries)),
        ("bytes", number(side.query_bytes)),
        ("median", median(side.query_size_bytes)),
        ("replies", number(side.replies)),
        ("AA", of_replies(side.aa_replies)),
        ("TC", of_replies(side.tc_replies)),
        ("RA", of_replies(side.ra_replies)),
        ("AD", of_replies(side.ad_replies)),
        ("cookie", of_replies(side.cookie_replies)),
        ("bytes", number(side.response_bytes)),
        ("median", median(side.response_size_bytes)),
        ("% of query", median(side.size_ratio_pct)),
        ("NOERROR", of_replies(side.noerror)),
        ("NXDOMAIN", of_replies(side.nxdomain)),
        ("SERVFAIL", of_replies(side.srvfail)),
        ("REFUSED", of_replies(side.refused)),
        ("NODATA", of_replies(side.nodata)),
        ("referral", of_replies(side.referrals)),
        ("timed out", number(side.timed_out)),
        ("orphans", number(side.orphans)),
        ("malformed", number(side.malformed)),
    ]
}
