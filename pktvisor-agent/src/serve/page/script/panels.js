// Tables: response codes, times, how transactions ended, capture, ledger, losses, every counter.

function drawPanels(agent) {
  const { window, app } = agent;
  if (!window || !app) return;
  drawDns(window, app);
  drawCapture(app.app ?? {}, agent);
  drawLedger(app.app ?? {});
  if ($('all').open) drawCounters(window);
  const span = window.period ?? {};
  const end = num(span.start_ts) + num(span.length);
  const analysed = num(window.sampling?.rate ?? 1);
  put($('span'), `${moment(span.start_ts)} to ${clock(end)}, ${ago(num(span.length))}` + (analysed < 1 ? `; ${percent(analysed)} of DNS analysed` : ''));
}

function drawDns(window, app) {
  const messages = window.dns?.wire_packets ?? {};
  const replies = num(messages.replies);
  const known = ['noerror', 'nxdomain', 'srvfail', 'refused'].map(code => num(messages[code]));
  const names = ['NOERROR', 'NXDOMAIN', 'SERVFAIL', 'REFUSED', 'other codes'];
  const codes = [...known, Math.max(0, replies - sum(known))];
  panel($('codes'), 'Response codes', ['', 'replies', 'share'],
    names.map((name, index) => ({ name, cells: [count(codes[index]), percent(share(codes[index], replies))] })).concat([
      { name: 'all replies', cls: 'sum', cells: [count(replies), ''] },
      { name: 'queries', cls: 'sum', cells: [count(num(messages.queries)), ''] },
    ]));
  const times = ['in', 'out'].map(way => window.dns?.xact?.[way] ?? {});
  const quantile = key => ({ name: key, cells: times.map(({ quantiles_us }) => duration(maybe(quantiles_us?.[key]))) });
  panel($('times'), 'Time from query to response', ['', 'in: HOST answers', 'out: HOST waits'], [
    quantile('p50'), quantile('p90'), quantile('p95'), quantile('p99'),
    { name: 'transactions', cls: 'sum', cells: times.map(({ total }) => count(num(total))) },
  ]);
  panel($('distinct'), 'Distinct', ['', 'number'], DISTINCT.map(([name, path]) => ({ name, cells: [count(maybe(at(window, path)))] })));
  const counts = window.dns?.xact?.counts ?? {};
  const ended = num(counts.total) + num(counts.timed_out);
  const row = (name, value, of) => ({ name, cells: [count(num(value)), of === undefined ? '' : percent(share(num(value), of))] });
  panel($('endings'), 'Queries and their ends', ['', 'count', 'share'], [
    row('answered in time', counts.total, ended), row('timed out', counts.timed_out, ended), row('answered late', counts.late),
    row('responses without a query', counts.orphans), row('queries repeated', counts.retransmitted), row('further responses', counts.duplicates),
    { name: 'waiting now for over 1 s', cls: 'sum', cells: [count(maybe(app.dns?.xact?.waiting)), `of ${count(num(app.dns?.xact?.open))} open`] },
  ]);
}

function drawCapture(app, agent) {
  const capture = app.capture ?? {};
  const text = value => ({ text: safe(value), cls: 'text prose' });
  const facts = [['target', text(capture.target)], ['mode', text([capture.mode, capture.hook, capture.zero_copy ? 'zero-copy' : ''].filter(Boolean).join(', '))]];
  const state = agent.health?.error ? agent.health.error : capture.finished ? 'the file has been read' : 'capturing';
  facts.push(['state', { text: safe(state), cls: `text prose ${agent.health?.error ? 'is-bad' : ''}` }]);
  for (const face of list(capture.interfaces).slice(0, 100)) {
    const hooks = [face?.ingress, face?.egress].filter(Boolean).join(' and ');
    const reason = face?.ingress_reason ? ` (${safe(face.ingress_reason)})` : '';
    facts.push([safe(face?.name), { text: `${safe(face?.state)}, ${safe(hooks)}${reason}`, cls: `text ${face?.state === 'up' ? '' : 'is-bad'}` }]);
  }
  facts.push(['analysed now', text(`${rate(maybe(app.deep_sample_rate_now_pct))} % of DNS flows, at most ${num(app.deep_sample_rate_pct)} %`)]);
  facts.push(['version', text(app.version)], ['up for', text(ago(num(app.up_time_min) * 60))]);
  panel($('capture'), 'Capture', [], facts.map(([name, cell]) => ({ name, cells: [cell] })));
  const card = $('capture');
  if (!card.querySelector('ul')) card.append(el('p', { class: 'muted empty' }), el('ul', { class: 'notes' }));
  const notes = list(capture.notes).slice(0, 100);
  put(card.querySelector('p'), notes.length ? 'Notes' : 'No notes.');
  each(card.querySelector('ul'), notes, () => el('li', { class: 'prose' }), (item, note) => put(item, safe(note)));
}

function drawLedger({ ledger, losses }) {
  const term = (key, cls, name = key.replaceAll('_', ' ')) => {
    const value = num(ledger?.[key]);
    return { name, cls, cells: [{ text: count(value), cls: key === 'lost' && value > 0 ? 'is-bad' : '' }] };
  };
  panel($('ledger'), 'Ledger: where every packet went', ['', 'packets'], [
    term('seen', 'sum'), term('filtered', 'part', '− filtered by -b'), term('counted', 'part', '= counted'),
    term('dns_packets', 'sum', 'of these, DNS packets'), term('not_chosen', 'part', '− not sampled'), term('lost', 'part', '− lost'),
    term('pending', 'part', '− on their way'), term('delivered', 'part', '= delivered to analysis'),
    term('analysed', 'leaf'), term('malformed', 'leaf'), term('without_message', 'leaf', 'without a message'),
    term('messages', 'sum', 'DNS messages in them'),
  ]);
  const causes = Object.entries(losses ?? {}).slice(0, 20);
  panel($('losses'), 'Losses by cause', ['', 'packets'], causes.length
    ? causes.map(([name, value]) => ({ name: safe(name).replaceAll('_', ' '), cells: [{ text: count(num(value)), cls: num(value) > 0 ? 'is-bad' : '' }] }))
    : [{ name: 'A capture file loses nothing.', cells: [''] }]);
}

// Every number of a period that is not in a list, grouped by its object.
function countersIn(value, path, into, depth = 0) {
  for (const [key, inner] of Object.entries(value).slice(0, 200)) {
    if (typeof inner === 'number') into.set(path, [...(into.get(path) ?? []), [key, inner]]);
    else if (inner !== null && typeof inner === 'object' && !Array.isArray(inner) && depth < 6) countersIn(inner, path ? `${path}.${key}` : key, into, depth + 1);
  }
  return into;
}

function drawCounters(window) {
  const groups = [...countersIn(window, '', new Map())];
  each($('counters'), groups, () => el('section'), (section, [path, values]) => {
    panel(section, '', [], values.map(([name, value]) => ({ name: safe(name), nameCls: 'mono', cells: [Number.isInteger(value) ? scaled(value, 1e15) : rate(value)] })));
    put(section.firstChild, safe(path));
  });
}
