// One agent: polls it, keeps its last answers, waits longer the longer it is away.

const POLL_MS = 2000;
const POLL_MAX_MS = 30000;
const PATIENCE_MS = 8000;
// Closed periods that are charted, and how many of them one poll fetches.
const PERIODS_MAX = 240;
const PERIODS_PER_POLL = 8;
// A window of more periods than this is expensive for the agent: it is read every fifth poll.
const LARGE_WINDOW = 10;

class AgentError extends Error {
  static pardon(error) { if (!(error instanceof AgentError)) throw error; }
}

class Agent {
  // Polled every `pace` ms while it is one of several.
  constructor(label, base, isOwn, pace = POLL_MS) {
    Object.assign(this, { label, base, isOwn, pace, timer: 0, delay: POLL_MS, isPolling: false });
    this.failure = null; // { since, text, nextAt }
    this.answeredAt = 0;
    this.forget();
  }

  forget() {
    this.paths = null;
    this.app = this.series = this.live = this.window = this.findings = this.health = null;
    this.forgetPeriods();
    this.lost = []; // [time in ms, packets lost since start]
    this.windowPath = '';
    this.sketches = this.counters = null; // the part in the union
    this.sketchedAt = 0;
    this.polls = 0;
  }

  forgetPeriods() {
    this.periods = new Map(); // start -> figures
    this.backfill = []; // numbers of buckets that are still to be read
    this.liveStart = null;
  }

  // The answer, or null where the agent has none: 404 and 425.
  async get(path) {
    let response, body;
    try {
      response = await fetch(this.base + path, { signal: AbortSignal.timeout(PATIENCE_MS), cache: 'no-store', redirect: 'error' });
    } catch (error) {
      if (error.name === 'TimeoutError') throw new AgentError(`no answer within ${PATIENCE_MS / 1000} s`);
      throw new AgentError(this.isOwn ? 'it cannot be reached' : `it cannot be reached, or was not started with --allow-origin ${location.origin}`);
    }
    try {
      body = await response.json();
    } catch {
      throw new AgentError(`/${path} is not JSON`);
    }
    if (body === null || typeof body !== 'object') throw new AgentError(`/${path} is not an object`);
    if (response.ok) return body;
    if (path === 'healthz') return body;
    if (response.status === 404 || response.status === 425) return null;
    throw new AgentError(`HTTP ${response.status}, ${safe(body.error)}`);
  }

  has(path) { return this.paths !== null && path in this.paths; }

  async poll(isDetailed, windowKey) {
    if (this.isPolling) return;
    this.isPolling = true;
    try {
      if (!this.paths) this.paths = (await this.get('api/v1/openapi.json'))?.paths ?? {};
      const upTime = num(this.app?.app?.up_time_min);
      const [app, series, health, findings] = await Promise.all([
        this.get('api/v1/metrics/app'),
        this.get('api/v1/metrics/series'),
        this.get('healthz'),
        this.has('/api/v1/findings') ? this.get('api/v1/findings') : null,
      ]);
      if (num(app?.app?.up_time_min) < upTime) this.forget(); // It was started again.
      Object.assign(this, { app, health, findings, series: series?.series ?? null });
      this.rememberLost();
      if (isDetailed) await this.readPeriods(windowKey);
      else if (this.polls % 3 === 0) await this.readSketches().catch(AgentError.pardon);
      this.polls += 1;
      this.failure = null;
      this.delay = isDetailed ? POLL_MS : this.pace;
      this.answeredAt = Date.now();
    } catch (error) {
      if (!(error instanceof AgentError)) console.error(error);
      this.fail(error instanceof AgentError ? error.message : 'its answer makes no sense');
    } finally {
      this.isPolling = false;
    }
  }

  fail(text) {
    this.delay = Math.min(this.failure ? this.delay * 2 : POLL_MS, POLL_MAX_MS);
    this.failure = { since: this.failure?.since ?? (this.answeredAt || Date.now()), text, nextAt: Date.now() + this.delay };
  }

  rememberLost() {
    const now = Date.now();
    this.lost.push([now, lostPackets(this.app)]);
    while (this.lost.length > 1 && this.lost[1][0] <= now - 10000) this.lost.shift();
  }

  async readPeriods(windowKey) {
    const path = windows(this).find(window => window.key === windowKey)?.path ?? 'bucket/0';
    const isLarge = path.startsWith('window/') && num(this.app?.app?.periods) > LARGE_WINDOW;
    const isDue = path !== this.windowPath || !isLarge || this.polls % 5 === 0;
    const [live, window] = await Promise.all([
      this.get('api/v1/metrics/bucket/0'),
      isDue && path !== 'bucket/0' ? this.get('api/v1/metrics/' + path) : null,
    ]);
    this.live = only(live);
    if (path === 'bucket/0') this.window = this.live;
    else if (window) this.window = only(window);
    else if (path !== this.windowPath) this.window = this.live;
    this.windowPath = path;
    await this.readClosed();
  }

  // An agent without sketches gives its counters alone. One that is too busy for them is asked again later.
  async readSketches() {
    const periods = Math.min(5, Math.max(1, num(this.app?.app?.periods)));
    const sketches = this.has('/api/v1/sketches/window/{n}') ? await this.get(`api/v1/sketches/window/${periods}?top=100`) : null;
    this.sketches = sketchesOf(sketches);
    this.counters = sketches?.period ?? only(await this.get('api/v1/metrics/' + (periods > 1 ? `window/${periods}` : 'bucket/0')));
    this.sketchedAt = Date.now();
  }

  // Closed periods never change, so each is read once.
  async readClosed() {
    const start = num(this.live?.period?.start_ts);
    const wanted = [];
    if (this.liveStart !== null && start - this.liveStart === 60) {
      wanted.push(1);
      this.backfill = this.backfill.map(n => n + 1);
    } else if (start !== this.liveStart) {
      this.forgetPeriods();
      this.backfill = await this.filled(start);
    }
    this.liveStart = start;
    wanted.push(...this.backfill.splice(0, PERIODS_PER_POLL));
    const read = await Promise.all(wanted.map(n => this.get(`api/v1/metrics/bucket/${n}`)));
    for (const period of read.map(only)) if (period) this.periods.set(num(period.period?.start_ts), figures(period));
    const most = Math.min(PERIODS_MAX, num(this.app?.app?.periods) - 1);
    const kept = [...this.periods.keys()].sort((a, b) => a - b);
    for (const old of kept.slice(0, Math.max(0, kept.length - most))) this.periods.delete(old);
  }

  // The numbers of the closed periods that are filled: asking for others is an error.
  async filled(liveStart) {
    const most = Math.min(num(this.app?.app?.periods), PERIODS_MAX);
    const all = most > 1 ? only(await this.get(`api/v1/metrics/window/${most}`)) : null;
    const long = liveStart - num(all?.period?.start_ts ?? liveStart);
    return Array.from({ length: Math.min(Math.max(0, Math.round(long / 60)), most - 1) }, (_, index) => index + 1);
  }

  // The figures of the kept periods and the live one, oldest first.
  charted() {
    const closed = [...this.periods].sort(([a], [b]) => a - b).map(([, figures]) => figures);
    return this.live ? [...closed.filter(period => period.ts !== this.liveStart), figures(this.live)] : closed;
  }
}

// The period in a document with one key.
function only(document) {
  const period = document && Object.values(document)[0];
  return period && typeof period === 'object' ? period : null;
}

// The windows that an agent can answer for.
function windows(agent) {
  const kept = num(agent.app?.app?.periods);
  const live = agent.has('/api/v1/metrics/rolling/{s}') && !agent.app?.app?.capture?.finished ? 'rolling/60' : 'bucket/0';
  const choices = [{ key: 'live', label: '1 min live', path: live }];
  if (kept > 5) choices.push({ key: '5', label: '5 min', path: 'window/5' });
  if (kept > 1) choices.push({ key: 'all', label: kept === 5 ? '5 min, all kept' : `All kept, ${kept} min`, path: `window/${kept}` });
  return choices;
}

function lostPackets(app) {
  const { ledger, losses } = app?.app ?? {};
  return num(ledger?.lost) + num(losses?.packet_socket) + num(losses?.driver);
}

// The numbers of a period that tiles and charts show.
function figures(period) {
  const { period: span, packets = {}, dns = {} } = period;
  const messages = dns.wire_packets ?? {};
  const counts = dns.xact?.counts ?? {};
  const seconds = Math.max(1, num(span?.length));
  const replies = num(messages.replies);
  const failed = Math.max(0, replies - num(messages.noerror) - num(messages.nxdomain));
  const times = direction => {
    const quantiles = dns.xact?.[direction]?.quantiles_us;
    return { p50: maybe(quantiles?.p50), p95: maybe(quantiles?.p95) };
  };
  return {
    ts: num(span?.start_ts), seconds,
    queries: num(messages.queries) / seconds,
    replies: replies / seconds,
    failed: share(failed, replies),
    nxdomain: share(num(messages.nxdomain), replies),
    timedOut: share(num(counts.timed_out), num(counts.timed_out) + num(counts.total)),
    packets: num(packets.total) / seconds,
    bytes: num(packets.bytes_total) / seconds,
    in: times('in'), out: times('out'),
    sources: num(packets.cardinality?.src_ips_in), names: num(dns.cardinality?.qname),
  };
}

// The same from the last seconds of the series.
function lastSeconds(agent, seconds) {
  const { dns = {}, packets = {}, xact = {} } = agent.series ?? {};
  const tail = column => list(column).slice(-seconds);
  const total = column => sum(tail(column));
  const long = Math.max(1, tail(dns.queries).length);
  const replies = total(dns.replies);
  const failed = Math.max(0, replies - total(dns.noerror) - total(dns.nxdomain));
  const timedOut = total(xact.timed_out);
  const worst = direction => {
    const values = tail(xact[direction]?.p95_us).map(maybe).filter(value => value !== null);
    return values.length ? Math.max(...values) : null;
  };
  return {
    queries: total(dns.queries) / long,
    failed: share(failed, replies),
    nxdomain: share(total(dns.nxdomain), replies),
    timedOut: share(timedOut, timedOut + replies),
    packets: (total(packets.in) + total(packets.out) + total(packets.unknown)) / long,
    in: worst('in'), out: worst('out'),
  };
}
