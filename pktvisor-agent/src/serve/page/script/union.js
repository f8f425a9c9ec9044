// The union of several agents: the window that one agent would have reported of all their traffic.
// Registers of distinct counts merge by their maxima, buckets and bounds add up.

const UNION_MS = 2000;
// Sketches that could not be had again for so long are not current any more.
const SKETCHES_MS = 120000;
const HLL_PREAMBLE = 40;
const HLL_REGISTERS = 1 << 14;
const DISTINCT = [
  ['clients that asked HOST', 'dns.in.clients'], ['servers that HOST asked', 'dns.out.servers'], ['names', 'dns.cardinality.qname'],
  ['sources of packets to HOST', 'packets.cardinality.src_ips_in'], ['targets of packets from HOST', 'packets.cardinality.dst_ips_out'],
];
// An agent takes a value as the middle of a bucket that is at most a 128th of it wide.
const ERROR_OF_AGENT = 1 / 256;

const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);
const has = (value, key) => isObject(value) && Object.hasOwn(value, key);
const at = (value, path) => path.split('.').reduce((inner, key) => (has(inner, key) ? inner[key] : undefined), value);
const entriesOf = (value, most) => (isObject(value) ? Object.entries(value).slice(0, most) : []);

// Numbers that add up, without lists, quantiles and what is distinct.
function addUp(into, value, depth = 0) {
  for (const [key, inner] of entriesOf(value, 200)) {
    if (key === '__proto__') continue;
    if (typeof inner === 'number') into[key] = num(into[key]) + num(inner);
    else if (Array.isArray(inner)) into[key] = typeof inner[0] === 'number' ? inner.slice(0, 20).map((part, index) => num(part) + num(into[key]?.[index])) : [];
    else if (isObject(inner) && depth < 6) into[key] = 'p50' in inner ? undefined : addUp(isObject(into[key]) ? into[key] : {}, inner, depth + 1);
  }
  return into;
}

function putAt(value, path, what) {
  const keys = path.split('.');
  const last = keys.pop();
  const group = at(value, keys.join('.'));
  if (isObject(group) && last !== '__proto__') group[last] = what;
}

// The registers of a DataSketches HLL_8 image with 2^14 registers; null if it is none.
function registersOf(image) {
  let bytes;
  try { bytes = atob(image); } catch { return null; }
  const codes = [0, 2, 3, 7].map(place => bytes.charCodeAt(place)).join();
  if (bytes.length !== HLL_PREAMBLE + HLL_REGISTERS || codes !== '10,7,14,10') return null;
  const registers = new Uint8Array(HLL_REGISTERS);
  for (let place = 0; place < HLL_REGISTERS; place += 1) registers[place] = Math.min(bytes.charCodeAt(HLL_PREAMBLE + place), 63);
  return registers;
}

// The improved raw estimator of Ertl (2017): no bias and no tables at any number of items.
function estimate(registers) {
  const m = registers.length;
  let [empty, rest] = [0, 0];
  for (const register of registers) if (register) rest += 2 ** -register; else empty += 1;
  if (empty === m) return 0;
  let [power, sigma] = [empty / m, empty / m];
  for (let k = 1; k < 60; k += 1) sigma += (power *= power) * 2 ** (k - 1);
  return Math.round((0.5 / Math.LN2) * m * m / (m * sigma + rest));
}

// The values of four ranks in histograms of several agents, and by how much they may be wrong.
function quantilesOf(parts) {
  const scale = Math.min(...parts.map(part => part.scale));
  const counts = new Map();
  let zero = 0;
  for (const part of parts) {
    zero += num(part.zero);
    for (const bucket of list(part.buckets).slice(0, 20000)) {
      const index = num(bucket?.index) >> (part.scale - scale);
      counts.set(index, (counts.get(index) ?? 0) + num(bucket?.count));
    }
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const total = zero + sum(sorted.map(([, count]) => count));
  const of = percent => {
    const rank = Math.min(Math.floor(total * percent / 100) + 1, total);
    let seen = zero;
    const found = rank <= seen ? null : sorted.find(([, count]) => (seen += count) >= rank);
    return found ? Math.round(2 ** ((found[0] + 0.5) / 2 ** scale)) : 0;
  };
  const values = total > 0 ? { p50: of(50), p90: of(90), p95: of(95), p99: of(99) } : undefined;
  return [values, 2 ** (0.5 / 2 ** scale) - 1 + ERROR_OF_AGENT];
}

// Where an agent does not list a name, it may have counted up to the bound for absent names.
function mergeLists(lists) {
  const names = new Map();
  const absent = sum(lists.map(([, absentUpper]) => absentUpper));
  lists.forEach(([entries, absentUpper], agent) => entries.slice(0, 1000).filter(isEntry).forEach(entry => {
    const name = String(entry.name);
    if (!names.has(name)) names.set(name, { name, estimate: 0, lower: 0, upper: absent, scaled: 0, agent: -1 });
    const all = names.get(name);
    all.estimate += num(entry.estimate);
    all.lower += num(entry.lower);
    all.upper += num(entry.upper ?? entry.estimate) - (all.agent === agent ? 0 : absentUpper);
    all.scaled += num(entry.scaled ?? entry.estimate);
    all.agent = agent;
  }));
  return [...names.values()].sort((a, b) => b.estimate - a.estimate || (a.name < b.name ? -1 : 1)).slice(0, 1000);
}

// A document of sketches, with its images decoded; null if it is none.
function sketchesOf(document) {
  if (document?.format !== 1 || !isObject(document.period)) return null;
  const registers = new Map(entriesOf(document.distinct, 256).map(([path, image]) => [path, registersOf(image)]));
  const hasScale = ([, histogram]) => Number.isInteger(histogram?.scale) && histogram.scale >= -10 && histogram.scale <= 20;
  const isValid = [...registers.values()].every(Boolean) && entriesOf(document.histograms, 256).every(hasScale);
  return isValid ? { ...document, registers, distinct: null } : null;
}

// { window, whole, countersOnly, missing, error } of these agents.
function unionOf(agents) {
  const answering = agents.filter(agent => !agent.failure && Date.now() - agent.sketchedAt < SKETCHES_MS && (agent.sketches || agent.counters));
  const documents = answering.map(agent => agent.sketches).filter(Boolean);
  const periods = answering.map(agent => agent.sketches?.period ?? agent.counters);
  const window = {};
  for (const period of periods) addUp(window, period);
  const spans = periods.map(({ period }) => period);
  window.period = { start_ts: Math.min(...spans.map(span => num(span?.start_ts))), length: Math.max(0, ...spans.map(span => num(span?.length))) };
  const messages = sum(documents.map(({ period }) => period.dns?.wire_packets?.total));
  const analysed = sum(documents.map(({ period }) => period.sampling?.messages));
  window.sampling = { rate: messages ? Math.min(1, analysed / messages) : 1 };
  let error = 0;
  for (const [, path] of DISTINCT) putAt(window, path, documents.length ? mergeDistinct(documents, path) : null);
  const pathsOf = part => new Set(documents.flatMap(document => entriesOf(document[part], 256).map(([path]) => path)));
  for (const path of pathsOf('histograms')) {
    const [quantiles, wrong] = quantilesOf(documents.filter(document => has(document.histograms, path)).map(document => document.histograms[path]));
    // The rate of all agents is the sum of their rates in the same second, which no histogram tells.
    if (!path.startsWith('packets.rates')) putAt(window, path, quantiles);
    error = Math.max(error, wrong);
  }
  for (const path of pathsOf('lists')) {
    const having = documents.filter(document => has(document.lists, path));
    putAt(window, path, mergeLists(having.map(document => [list(at(document.period, path)), num(document.lists[path]?.absent_upper)])));
  }
  return { window: periods.length ? window : null, whole: documents.length, countersOnly: periods.length - documents.length, missing: agents.length - periods.length, error };
}

function mergeDistinct(documents, path) {
  const parts = documents.filter(document => document.registers.has(path));
  const union = new Uint8Array(HLL_REGISTERS);
  for (const part of parts) {
    const registers = part.registers.get(path);
    for (let place = 0; place < HLL_REGISTERS; place += 1) if (registers[place] > union[place]) union[place] = registers[place];
  }
  const reported = parts.map(part => num(at(part.period, path)));
  // Agents count few names exactly, and a union is never smaller than a part of it.
  return parts.length === 1 ? reported[0] : Math.max(estimate(union), 0, ...reported);
}

let union = null;
let unionAt = 0;

// Merges again where an agent has answered since, at most every two seconds.
function drawUnion(agents) {
  if (!union?.window || (Date.now() - unionAt >= UNION_MS && agents.some(agent => agent.sketchedAt >= unionAt || Boolean(agent.failure) !== agent.wasAway))) {
    union = unionOf(agents);
    unionAt = Date.now();
    for (const agent of agents) agent.wasAway = Boolean(agent.failure);
  }
  const { window, whole, countersOnly, missing, error } = union;
  show($('window'), window !== null);
  if (!window) return;
  const parts = [`union of ${whole} of ${agents.length} agents, ${ago(window.period.length)}`];
  if (countersOnly) parts.push(`counters alone of ${countersOnly}`);
  if (missing) parts.push(`nothing of ${missing}`);
  if (error) parts.push(`quantiles to within ${(error * 100).toFixed(1)} %`);
  put($('window-note'), parts.join('; '));
  const answering = agents.filter(agent => !agent.failure);
  const total = key => sum(answering.map(agent => agent.app?.dns?.xact?.[key]));
  drawDns(window, { dns: { xact: { waiting: total('waiting'), open: total('open') } } });
  drawLists(union);
}
