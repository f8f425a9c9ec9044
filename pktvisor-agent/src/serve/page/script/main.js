// What is shown, and when it is polled.

const words = agentsInUrl();
const isFleet = words.length > 0;
const agents = isFleet ? words.map(agentOf) : [new Agent(location.host, '', true)];
let windowKey = 'all';
let chosen = null; // the agent shown; null: the table of all

function choose() {
  const word = decodeHash();
  chosen = isFleet ? agents.find(agent => agent.label === word && !agent.isInvalid) ?? null : agents[0];
  show($('fleet'), chosen === null);
  show($('back'), isFleet && chosen !== null);
  $('verdict').dataset.shown = '';
  cards.forEach(card => card.remove());
  if (chosen) put($('windows'), '');
}

function decodeHash() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ''; }
}

function render() {
  const away = chosen?.failure;
  document.body.classList.toggle('stale', Boolean(away));
  if (chosen === null) {
    for (const part of ['one', 'about']) show($(part), false);
    drawFleet(agents);
    drawUnion(agents);
    put($('agent'), 'pktvisor');
    put($('source'), `${agents.length} agents`);
    put($('clock'), `the last 10 seconds; failed of the last 60; p95 of the worst second`);
    document.title = titleOf(agents.flatMap(problems));
    return;
  }
  for (const part of ['one', 'window', 'about']) show($(part), chosen.app !== null);
  put($('window-note'), '');
  drawVerdict(chosen);
  drawIdentity(chosen);
  drawWindows(chosen);
  drawTiles(chosen);
  drawCharts(chosen);
  drawPanels(chosen);
  drawLists(chosen);
  document.title = titleOf(problems(chosen));
}

function titleOf(found) {
  const serious = found.filter(({ severity }) => severity !== 'notice').length;
  return `${serious ? `(${serious}) ` : ''}${chosen ? chosen.label + ' – ' : ''}pktvisor`;
}

function drawIdentity(agent) {
  const { capture, version } = agent.app?.app ?? {};
  put($('agent'), safe(agent.label));
  const parts = capture ? [`${capture.finished ? 'replay of ' : ''}${safe(capture.target)}`, safe(capture.mode), `pktvisord ${safe(version)}`] : [];
  put($('source'), parts.filter(Boolean).join(' · '));
  const start = num(agent.series?.start_ts);
  put($('clock'), start ? `data until ${moment(start + list(agent.series.dns?.queries).length)}` : '');
}

function drawWindows(agent) {
  const choices = windows(agent);
  const place = $('windows');
  if (!agent.app) return;
  if (!choices.some(({ key }) => key === windowKey)) windowKey = choices.at(-1).key;
  const key = JSON.stringify(choices);
  if (place.dataset.key === key && place.children.length > 1) return;
  place.dataset.key = key;
  place.replaceChildren(el('legend', {}, 'Window'), ...choices.map(({ key, label }) => {
    const radio = el('input', { type: 'radio', name: 'window', value: key });
    radio.checked = key === windowKey;
    radio.addEventListener('change', () => { windowKey = key; refresh(); });
    return el('label', {}, radio, label);
  }));
}

async function tick(agent) {
  clearTimeout(agent.timer);
  if (document.hidden || agent.isInvalid || (chosen !== null && chosen !== agent)) return;
  const [was, key] = [chosen, windowKey];
  await agent.poll(chosen === agent, windowKey);
  // Something else was chosen in the meantime.
  if (was !== chosen || key !== windowKey) return void tick(agent);
  try {
    render();
  } catch (error) {
    // An answer of another shape than this page knows. It may be another one next time.
    console.error(error);
    agent.fail('its answer makes no sense');
    if (chosen) drawVerdict(chosen);
  }
  clearTimeout(agent.timer);
  agent.timer = setTimeout(() => tick(agent), agent.delay);
}

function refresh() { agents.forEach(tick); }

document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
addEventListener('hashchange', () => {
  // The link to the numbers is not an agent.
  if (location.hash === '#main') return;
  choose();
  render();
  refresh();
});
addEventListener('resize', () => { if (chosen) drawCharts(chosen); });
addEventListener('keydown', event => {
  if (event.key !== '/' || event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || $('window').hidden) return;
  event.preventDefault();
  $('filter').focus();
});
$('filter').addEventListener('input', () => { if (chosen ?? union) drawLists(chosen ?? union); });
$('all').addEventListener('toggle', () => { if (chosen) drawPanels(chosen); });

makeCharts();
choose();
render();
refresh();
