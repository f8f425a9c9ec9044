// Several agents side by side: /?agents=host1:10853,host2:10853

const AGENTS_MAX = 50;

// The same words as the agent permits in connect-src: see page/agents.rs.
function isAgent(word) {
  const match = /^([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*):([0-9]{1,5})$/.exec(word);
  return match !== null && match[1].length <= 253 && Number(match[2]) >= 1 && Number(match[2]) <= 65535;
}

function agentsInUrl() {
  const text = new URLSearchParams(location.search).get('agents');
  const words = text === null ? [] : text.split(',').map(word => word.trim()).filter(Boolean);
  return [...new Set(words)].slice(0, AGENTS_MAX);
}

function agentOf(word, _, { length }) {
  const isOwn = word === location.host;
  const agent = new Agent(word, isOwn ? '' : `${location.protocol}//${word}/`, isOwn, Math.max(POLL_MS, 200 * length));
  agent.isInvalid = !isAgent(word);
  return agent;
}

const COLUMNS = ['Agent', 'State', 'Queries/s', 'Failed', 'p95', 'Lost', 'Worst finding'];

function stateOf(agent) {
  if (agent.isInvalid) return ['warning', 'not an address'];
  if (agent.failure) return ['critical', 'away'];
  if (!agent.app) return ['unknown', 'waiting'];
  if (agent.health?.error) return ['critical', 'not capturing'];
  const worst = problems(agent)[0];
  return worst ? [worst.severity, worst.severity] : ['good', agent.app.app?.capture?.finished ? 'finished' : 'well'];
}

function drawFleet(agents) {
  const place = $('fleet-table');
  if (!place.firstChild) {
    const head = el('tr', { role: 'row' }, ...COLUMNS.map((name, at) => el('th', { scope: 'col', role: 'columnheader', class: at > 1 && at < 6 ? 'number' : '' }, name)));
    place.append(el('table', { role: 'table' }, el('thead', { role: 'rowgroup' }, head), el('tbody', { role: 'rowgroup' })));
  }
  each(place.querySelector('tbody'), agents, makeRow, updateRow);
  const states = agents.map(agent => stateOf(agent)[0]);
  const wrong = states.filter(state => state === 'critical' || state === 'warning').length;
  const waiting = states.filter(state => state === 'unknown').length;
  const verdict = $('verdict');
  if (verdict.dataset.shown !== 'fleet') verdict.replaceChildren(el('p'));
  verdict.dataset.shown = 'fleet';
  const worst = states.includes('critical') ? 'critical' : 'warning';
  attr(verdict.firstChild, 'class', `worst ${wrong ? worst : waiting ? 'unknown' : 'good'}`);
  put(verdict.firstChild, wrong ? `${wrong} of ${agents.length} agents need attention.` : waiting ? `Waiting for ${waiting} of ${agents.length} agents …` : `Nothing is wrong at ${agents.length} agents.`);
}

function makeRow() {
  return el('tr', { role: 'row' }, el('th', { scope: 'row', role: 'rowheader' }, el('a', { class: 'name' })), el('td', { class: 'text', role: 'cell' }, el('span')),
    ...COLUMNS.slice(2, 6).map(name => el('td', { role: 'cell', 'data-label': name })), el('td', { class: 'text prose', role: 'cell' }));
}

function updateRow(row, agent) {
  const [name, state, queries, failed, p95, lost, finding] = row.children;
  put(name.firstChild, safe(agent.label));
  attr(name.firstChild, 'href', agent.isInvalid ? null : '#' + agent.label);
  const [severity, word] = stateOf(agent);
  put(state.firstChild, word);
  attr(state.firstChild, 'class', `pill ${severity}`);
  const now = agent.series ? lastSeconds(agent, 10) : null;
  const minuteOf = agent.series ? lastSeconds(agent, 60) : null;
  put(queries, now ? rate(now.queries) : NOTHING);
  put(failed, minuteOf ? percent(minuteOf.failed) : NOTHING);
  put(p95, now ? duration(now.in ?? now.out) : NOTHING);
  const packets = agent.app ? lostPackets(agent.app) : null;
  put(lost, count(packets));
  attr(lost, 'class', packets > 0 ? 'is-bad' : '');
  put(finding, agent.isInvalid ? 'Write HOST:PORT with a name or an IPv4 address.' : problems(agent)[0]?.text ?? (agent.app ? allIsWell(agent) : ''));
}
