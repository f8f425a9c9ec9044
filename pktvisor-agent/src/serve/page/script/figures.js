// Key figures and the two groups of charts.

// From here on a share is worth a look, and bad; the same bounds as in the terminal UI.
const BOUNDS = { failed: [0.02, 0.1], nxdomain: [0.3, 0.6], timedOut: [0.01, 0.05] };
const level = (value, [warn, bad]) => (value === null ? '' : value >= bad ? 'is-bad' : value >= warn ? 'is-warn' : '');

// The direction whose times matter: HOST answers, or else HOST waits.
function direction(agent, window) {
  return window.in.p95 === null && window.out.p95 !== null && lastSeconds(agent, 10).in === null ? 'out' : 'in';
}

function drawTiles(agent) {
  if (!agent.series || !agent.window) return;
  const now = lastSeconds(agent, 10);
  const window = figures(agent.window);
  const way = direction(agent, window);
  const lost = lostPackets(agent.app);
  const lostNow = lost - (agent.lost[0]?.[1] ?? lost);
  const seen = num(agent.app?.app?.ledger?.seen);
  const hasHost = window.sources > 0 || num(agent.window.packets?.in) > 0;
  const waiting = maybe(agent.app?.dns?.xact?.waiting);
  const replies = `${count(num(agent.window.dns?.wire_packets?.replies))} replies`;
  // [name, last 10 s, unit, in the window, further, level]
  const tiles = [
    ['Queries', rate(now.queries), '/s', `${rate(window.queries)}/s`, `replies ${rate(window.replies)}/s`, ''],
    ['Failed replies', percent(now.failed), '', percent(window.failed), `of ${replies}`, level(now.failed, BOUNDS.failed)],
    ['NXDOMAIN', percent(now.nxdomain), '', percent(window.nxdomain), `of ${replies}`, level(now.nxdomain, BOUNDS.nxdomain)],
    ['Timed out', percent(now.timedOut), '', percent(window.timedOut), `waiting now ${count(waiting)}`, level(now.timedOut, BOUNDS.timedOut)],
    [`p95 time ${way}`, duration(now[way]), '', duration(window[way].p95), `p50 ${duration(window[way].p50)}`, ''],
    ['Packets', rate(now.packets), '/s', `${rate(window.packets)}/s`, `${bytes(window.bytes)}/s`, ''],
    hasHost ? ['Clients', count(window.sources), '', '', `names ${count(window.names)}`, ''] : ['Names', count(window.names), '', '', '', ''],
    ['Lost packets', count(lostNow), '', '', `since start ${count(lost)}, ${percent(share(lost, seen + lost))}`, level(lostNow > 0 ? 1 : lost > 0 ? 0.02 : 0, BOUNDS.failed)],
  ];
  const make = () => el('dl', { class: 'card tile' }, el('dt'), el('dd', { class: 'now' }, el('span'), el('small')),
    el('dd', { class: 'beside' }, 'window ', el('b')), el('dd', { class: 'beside' }));
  each($('tiles'), tiles, make, (tile, [name, value, unit, inWindow, further, cls]) => {
    const [dt, big, beside, small] = tile.children;
    attr(tile, 'class', `card tile ${cls}`);
    put(dt, name);
    put(big.firstChild, value);
    put(big.lastChild, { 'is-bad': 'bad', 'is-warn': 'high' }[cls] ?? (value === NOTHING ? '' : unit));
    put(beside.lastChild, inWindow);
    if (inWindow === '') put(beside, name === 'Lost packets' ? 'in the last 10 s' : 'distinct, window');
    put(small, further || '\u00a0');
  });
}

let shown = null; // the agent whose charts are drawn
let seconds, periods;

const column = (...path) => list(path.reduce((value, key) => value?.[key], shown?.series)).slice(-SECONDS).map(maybe);
// A curve of the seconds, and one of the periods.
const curve = (name, color, ...path) => ({ name, color, of: () => column(...path) });
const curveOf = (name, color, figure) => ({ name, color, of: () => shown.charted().map(figure) });
const HINT = 'arrow keys or pointer read a second';

function makeCharts() {
  seconds = new ChartGroup($('seconds'), 'each of the last 300 seconds', time => put($('seconds-note'), time === null ? HINT : `at ${moment(time)}`));
  periods = new ChartGroup($('periods'), 'each period kept', drawPeriodsNote);
  const rates = { format: rate, axis, kind: 'line' };
  const stack = { ...rates, kind: 'stack' };
  const times = { kind: 'line', isLog: true, format: duration, axis: value => (value === 0 ? '0' : duration(value).replace(/\.0+ /, ' ')),
    why: () => (num(shown?.window?.packets?.in) + num(shown?.window?.packets?.out) ? 'No transaction in this direction.' : 'No HOST is known: start the agent with -H NETWORK.') };
  seconds.add('Queries and replies /s', [curve('queries', 's1', 'dns', 'queries'), curve('replies', 's2', 'dns', 'replies')], { ...rates, isFilled: true });
  seconds.add('Errors and NXDOMAIN /s', [
    curve('SERVFAIL', 's3', 'dns', 'srvfail'), curve('REFUSED', 's4', 'dns', 'refused'), curve('timed out', 's5', 'xact', 'timed_out'),
    { name: 'other', color: 's2', of: otherCodes }, curve('NXDOMAIN', 's6', 'dns', 'nxdomain'),
  ], { ...stack, least: 1 });
  for (const [way, title] of [['in', 'Time in: HOST answers'], ['out', 'Time out: HOST waits']]) {
    seconds.add(title, [curve('p95', 's4', 'xact', way, 'p95_us'), curve('p50', 's1', 'xact', way, 'p50_us')], times);
  }
  seconds.add('Packets /s', [curve('in', 's1', 'packets', 'in'), curve('out', 's2', 'packets', 'out'), curve('unknown', 's6', 'packets', 'unknown')], rates);
  seconds.add('Traffic byte/s', [curve('in', 's1', 'packets', 'bytes_in'), curve('out', 's2', 'packets', 'bytes_out')], { ...rates, format: bytes, isFilled: true });

  periods.add('Queries /s', [curveOf('queries', 's1', figures => figures.queries)], stack);
  periods.add('Share of replies and queries', [
    curveOf('failed', 's3', figures => figures.failed), curveOf('timed out', 's5', figures => figures.timedOut), curveOf('NXDOMAIN', 's6', figures => figures.nxdomain),
  ], { kind: 'line', format: percent, axis: percent, least: 0.01 });
  periods.add('p95 time', [curveOf('in', 's1', figures => figures.in.p95), curveOf('out', 's4', figures => figures.out.p95)], times);
  periods.add('Packets /s', [curveOf('packets', 's2', figures => figures.packets)], stack);
}

function otherCodes() {
  const replies = column('dns', 'replies');
  const known = ['noerror', 'nxdomain', 'srvfail', 'refused'].map(code => column('dns', code));
  return replies.map((value, index) => (value === null ? null : Math.max(0, value - sum(known.map(code => code[index])))));
}

function drawCharts(agent) {
  shown = agent;
  if (!agent.series) return;
  const start = num(agent.series.start_ts);
  const long = list(agent.series.dns?.queries).length;
  const first = start + Math.max(0, long - SECONDS);
  seconds.draw(Array.from({ length: Math.min(long, SECONDS) }, (_, index) => first + index), SECONDS);
  const charted = agent.charted();
  periods.draw(charted.map(figures => figures.ts), Math.max(charted.length, 5));
  drawPeriodsNote();
}

function drawPeriodsNote() {
  const at = periods.at();
  const charted = shown?.charted() ?? [];
  const kept = num(shown?.app?.app?.periods);
  const figures = charted[at ?? -1];
  put($('periods-note'), figures ? `from ${moment(figures.ts)}, ${figures.seconds} s`
    : `${charted.length} of ${kept}, a minute each; the last one is live${kept - 1 > PERIODS_MAX ? `; the newest ${PERIODS_MAX} are charted` : ''}`);
}
