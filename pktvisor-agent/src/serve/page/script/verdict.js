// What is wrong: findings, health, losses, and an agent that does not answer.

const SEVERITIES = ['critical', 'warning', 'notice'];

// Problems of an agent, the worst first: { severity, text, since, finding }.
function problems(agent) {
  const found = [];
  if (agent.failure) {
    const { since, text } = agent.failure;
    const when = agent.answeredAt ? `since ${moment(since / 1000)}` : 'since this page was opened';
    found.push({ severity: 'critical', text: `The agent does not answer ${when}: ${text}.`, since: since / 1000, isAway: true });
  }
  if (!agent.app) return found;
  if (agent.health?.error) found.push({ severity: 'critical', text: sentence(agent.health.error) });
  for (const finding of list(agent.findings?.findings).slice(0, 100)) {
    const severity = SEVERITIES.includes(finding?.severity) ? finding.severity : 'notice';
    found.push({ severity, text: safe(finding?.text) || safe(finding?.kind), since: maybe(finding?.since_ts), finding });
  }
  if (!agent.findings) {
    for (const face of list(agent.app.app?.capture?.interfaces)) {
      if (face?.state !== 'up') found.push({ severity: face?.state === 'gone' ? 'critical' : 'warning', text: `Interface ${safe(face?.name)} is ${safe(face?.state)}.` });
    }
    const lost = lostPackets(agent.app);
    if (lost > 0) found.push({ severity: 'warning', text: `${count(lost)} packets were lost since start: see the ledger.` });
  }
  return found.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
const sentence = text => { const shown = capital(safe(text)); return shown + (/[.!?]$/.test(shown) ? '' : '.'); };

function allIsWell(agent) {
  return agent.findings ? 'Nothing is wrong.' : 'No packet was lost. Findings need a newer agent.';
}

function drawVerdict(agent) {
  const found = problems(agent);
  const place = $('verdict');
  if (found.length === 0) {
    if (place.dataset.shown !== 'good') place.replaceChildren(el('p', { class: 'worst good' }, ''));
    place.dataset.shown = 'good';
    put(place.firstChild, agent.app ? allIsWell(agent) : 'Waiting for the agent …');
    attr(place.firstChild, 'class', agent.findings ? 'worst good' : 'worst unknown');
    return;
  }
  if (place.dataset.shown !== 'found') place.replaceChildren();
  place.dataset.shown = 'found';
  each(place, found, makeProblem, (element, problem) => updateProblem(element, problem, agent));
}

function makeProblem() {
  return el('details', {}, el('summary', {}, el('span', { class: 'severity' }), el('span', { class: 'prose' }), el('time', { 'aria-live': 'off' })),
    el('div', { class: 'more' }));
}

function updateProblem(element, problem, agent) {
  attr(element, 'class', `finding ${problem.severity}`);
  const [severity, text, time] = element.firstChild.children;
  put(severity, capital(problem.severity));
  put(text, problem.text);
  const now = problem.isAway ? Date.now() / 1000 : num(agent.findings?.at_ts) || Date.now() / 1000;
  put(time, problem.since ? `since ${minute(problem.since)} UTC, ${ago(now - problem.since)}` : '');
  const key = JSON.stringify(problem.finding ?? (problem.isAway ? agent.failure : 0));
  if (element.dataset.key === key) return;
  if (problem.finding?.kind !== element.dataset.kind) element.open = false;
  element.dataset.kind = problem.finding?.kind ?? '';
  element.dataset.key = key;
  element.lastChild.replaceChildren(...more(problem, agent));
}

function more({ finding, isAway }, agent) {
  if (isAway) return [el('span', {}, `The next attempt is at ${moment(agent.failure.nextAt / 1000)}.` + (agent.app ? ` The numbers below are from ${moment(agent.answeredAt / 1000)}.` : ''))];
  if (!finding) return [el('span', {}, 'See the end of this page.')];
  const subject = `${safe(finding.subject?.kind)} ${safe(finding.subject?.name)}`;
  const parts = [el('span', {}, el('span', { class: 'mono' }, safe(finding.kind)), ' · ', el('span', { class: 'name' }, subject))];
  const table = (entries, name, value) => {
    const body = el('tbody');
    rows(body, entries.slice(0, 20).map(entry => ({ name: safe(entry?.name), nameCls: name, cells: value(entry) })));
    return el('table', {}, body);
  };
  const measures = list(finding.measures);
  if (measures.length) parts.push(table(measures, 'mono', entry => [measure(entry)]));
  const who = list(finding.who);
  if (who.length) parts.push(table(who, 'name', entry => [count(num(entry?.estimate)), { text: bounds(entry, count), cls: 'muted' }]));
  return parts;
}

function measure(entry) {
  const value = num(entry?.value);
  const name = String(entry?.name);
  if (name.endsWith('_share')) return percent(value);
  if (name.endsWith('_us')) return duration(value);
  return Number.isInteger(value) ? count(value) : rate(value);
}

// The bounds of an entry's true count.
function bounds(entry, format) {
  const { lower, upper } = entry ?? {};
  if (maybe(lower) === null || maybe(upper) === null) return '';
  return lower === upper ? 'exact' : `${format(lower)}..${format(upper)}`;
}
