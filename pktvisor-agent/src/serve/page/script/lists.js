// All lists of a period, found by their shape: a list that this page does not know is shown too.

const SHORT = 5;

const GROUPS = [
  ['dns.in', 'In: clients ask HOST'],
  ['dns.out', 'Out: HOST asks servers'],
  ['dns.xact', 'Slow names'],
  ['dns', 'Names, types and codes'],
  ['packets', 'Remote addresses, places and networks, by packets'],
];
const TITLES = {
  'packets.top_geoLoc': 'Places', 'packets.top_ASN': 'Networks', 'dns.top_qname2': 'Names, 2 labels', 'dns.top_qname3': 'Names, 3 labels',
  'dns.top_nodata': 'Names without data', 'dns.top_timed_out': 'Names that timed out',
  'dns.top_ede': 'Extended DNS errors',
  'dns.xact.in.top_slow': 'Slow to answer (in)', 'dns.xact.out.top_slow': 'Slow to be answered (out)',
};
const CODES = { nxdomain: 'NXDOMAIN', srvfail: 'SERVFAIL', refused: 'REFUSED', noerror: 'NOERROR' };
const WORDS = { ...CODES, qname: 'names', rcode: 'response codes', qtype: 'query types', qclass: 'query classes', opcode: 'operations', ecs: 'ECS', asns: 'networks', tcp: 'TCP', udp: 'UDP', ipv4: 'IPv4 addresses', ipv6: 'IPv6 addresses' };

function title(path) {
  if (Object.hasOwn(TITLES, path)) return TITLES[path];
  const key = path.split('.').pop().replace(/^top_/, '');
  if (path === `dns.top_${key}` && Object.hasOwn(CODES, key)) return `Names with ${CODES[key]}`;
  const [first, ...rest] = key.split('_').map(word => (Object.hasOwn(WORDS, word) ? WORDS[word] : word));
  return capital(safe(first + (rest.length && /^(clients|servers|zones)$/.test(first) ? ': ' : ' ') + rest.join(' ')).trim());
}

const isEntry = entry => entry !== null && typeof entry === 'object' && 'name' in entry && 'estimate' in entry;

// [path, entries] of each list in an object.
function listsIn(value, path = '', depth = 0) {
  if (Array.isArray(value)) return value.every(isEntry) ? [[path, value.slice(0, 1000)]] : [];
  if (value === null || typeof value !== 'object' || depth > 6) return [];
  return Object.entries(value).flatMap(([key, inner]) => listsIn(inner, path ? `${path}.${key}` : key, depth + 1));
}

const groupOf = path => GROUPS.findIndex(([prefix]) => path.startsWith(prefix + '.'));
const cards = new Map();

function drawLists(agent) {
  if (!agent.window) return;
  const filter = $('filter').value.trim().toLowerCase();
  const sampled = num(agent.window.sampling?.rate ?? 1) < 1;
  const all = listsIn({ packets: agent.window.packets, dns: agent.window.dns });
  const filled = all.filter(([, entries]) => entries.length);
  const empty = all.filter(([path, entries]) => !entries.length && path.includes('top_'));
  put($('lists-note'), (sampled ? `${percent(agent.window.sampling.rate)} of DNS is analysed: ≈ is scaled to all, bounds are of the analysed` : 'count, and the bounds of the true count'));
  const shownGroups = [];
  GROUPS.concat([['', 'Others']]).forEach(([, name], index) => {
    const place = groupPlace(index, name);
    // Those of clients and servers before their codes and types.
    const rank = ([path]) => (/top_(client|server)/.test(path) ? 0 : 1);
    const mine = filled.filter(([path]) => (groupOf(path) < 0 ? GROUPS.length : groupOf(path)) === index).sort((a, b) => rank(a) - rank(b));
    const matching = mine.map(([path, entries]) => [path, entries, entries.filter(entry => !filter || String(entry.name).toLowerCase().includes(filter))]).filter(([, , matches]) => matches.length);
    const wanted = new Set(matching.map(([path]) => path));
    for (const card of [...place.lastChild.children]) if (!wanted.has(card.dataset.path)) card.remove();
    matching.forEach(([path, entries, matches], at) => {
      const card = cardOf(path);
      if (place.lastChild.children[at] !== card) place.lastChild.insertBefore(card, place.lastChild.children[at] ?? null);
      drawList(card, path, entries, matches, filter !== '');
    });
    show(place, matching.length > 0);
    if (matching.length) shownGroups.push(index);
  });
  const note = $('lists').lastChild;
  const sentences = [];
  if (filter && !shownGroups.length) sentences.push('No name contains that.');
  if (empty.length) sentences.push(`Empty: ${empty.map(([path]) => title(path)).join(', ')}.`);
  put(note, sentences.join(' '));
}

function groupPlace(index, name) {
  const place = $('lists');
  if (!place.firstChild) place.append(el('p', { class: 'empty' }));
  while (place.children.length - 1 <= index) place.lastChild.before(el('div', {}, el('h3', { class: 'group' }), el('div', { class: 'lists' })));
  put(place.children[index].firstChild, name);
  return place.children[index];
}

function cardOf(path) {
  if (cards.has(path)) return cards.get(path);
  const button = el('button', { type: 'button', 'aria-expanded': 'false' });
  const head = el('tr', {}, el('th', { scope: 'col' }, 'name'), el('th', { scope: 'col', class: 'number count' }, 'count'), el('th', { scope: 'col', class: 'number bounds' }, 'bounds'));
  const card = el('section', { class: 'card list', 'data-path': path }, el('div', { class: 'head' }, el('h3', {}, title(path), el('small')), button), el('table', {}, el('thead', {}, head), el('tbody')));
  attr(card, 'aria-label', title(path));
  button.addEventListener('click', () => {
    card.classList.toggle('is-open');
    attr(button, 'aria-expanded', String(card.classList.contains('is-open')));
    render();
  });
  cards.set(path, card);
  return card;
}

function drawList(card, path, entries, matches, isFiltered) {
  const isOpen = card.classList.contains('is-open');
  const format = /bytes/.test(path) ? bytes : count;
  const most = Math.max(1, ...entries.map(entry => num(entry.estimate)));
  const items = isOpen || isFiltered ? matches : matches.slice(0, SHORT);
  const body = card.querySelector('tbody');
  rows(body, items.map(entry => {
    const isScaled = maybe(entry.scaled) !== null && entry.scaled !== entry.estimate;
    return {
      name: safe(entry.name) || '(empty)', nameCls: 'name',
      cells: [{ text: isScaled ? `≈ ${format(entry.scaled)}` : format(num(entry.estimate)), cls: 'count' }, { text: bounds(entry, format), cls: 'bounds' }],
    };
  }));
  items.forEach((entry, index) => {
    const row = body.children[index];
    row.style.setProperty('--share', `${((num(entry.estimate) / most) * 100).toFixed(1)}%`);
    attr(row.firstChild, 'title', safe(entry.name));
  });
  const isExact = items.every(entry => entry.lower === entry.upper);
  card.classList.toggle('is-exact', isExact);
  put(card.querySelector('small'), isExact ? 'exact' : '');
  const button = card.querySelector('button');
  show(button, isOpen || matches.length > SHORT || items.some(({ name }) => safe(name).length > 28));
  put(button, isOpen ? 'fewer' : `all ${entries.length}`);
}
