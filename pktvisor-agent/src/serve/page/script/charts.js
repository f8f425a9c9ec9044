// Charts drawn by hand: lines and stacked columns over time, with one cursor for all of a group.

const SECONDS = 300;
const HEIGHT = 132;
const LEFT = 40;
const TOP = 12;
const BOTTOM = 18;

// The smallest of 1, 2, 5 times a power of ten that is not below the value.
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(top => top >= value * 0.9999);
}

// A scale from values to heights, and the values of its grid lines.
function scaleOf(values, { isLog, least }) {
  const peak = Math.max(least ?? 0, ...values);
  const high = HEIGHT - BOTTOM - TOP;
  if (!isLog) {
    const top = ceiling(peak);
    return { y: value => HEIGHT - BOTTOM - (value / top) * high, marks: [0, top / 2, top] };
  }
  const lowest = Math.min(...values.filter(value => value > 0));
  const first = Number.isFinite(lowest) ? Math.floor(Math.log10(lowest)) : 0;
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(peak, 1))) - first);
  const every = Math.ceil(decades / 4);
  const y = value => HEIGHT - BOTTOM - (Math.max(0, Math.log10(Math.max(value, 1e-9)) - first) / decades) * high;
  return { y, marks: Array.from({ length: Math.floor(decades / every) + 1 }, (_, mark) => 10 ** (first + mark * every)) };
}

// Charts that share their times and the cursor.
class ChartGroup {
  constructor(place, label, onCursor) {
    Object.assign(this, { place, label, onCursor, charts: [], times: [], slots: 1, cursor: null });
  }

  add(title, series, options) {
    const chart = new Chart(this, title, series, options);
    this.charts.push(chart);
    this.place.append(chart.element);
    return chart;
  }

  // The index that the cursor is on.
  at() {
    const index = this.cursor === null ? -1 : this.times.indexOf(this.cursor);
    return index < 0 ? null : index;
  }

  move(index) {
    this.cursor = index === null ? null : this.times[Math.min(Math.max(index, 0), this.times.length - 1)] ?? null;
    this.charts.forEach(chart => chart.read());
    this.onCursor(this.at() === null ? null : this.cursor);
  }

  draw(times, slots) {
    this.times = times;
    this.slots = slots;
    this.charts.forEach(chart => chart.draw());
  }
}

class Chart {
  // series: [{ name, color, of(): values }]; options: { kind, format, axis, least }.
  constructor(group, title, series, options) {
    Object.assign(this, { group, title, series, options, columns: series.map(() => []) });
    this.keys = series.map(({ name, color }) => {
      const value = el('b');
      return { element: el('span', { class: 'key' }, el('i', { class: color }), name + ' ', value), value };
    });
    this.svg = svg('svg', { role: 'slider', tabindex: '0', 'aria-label': `${title}, ${group.label}`, 'aria-valuemin': '0' });
    this.grid = svg('g');
    this.paths = series.map(({ color }) => {
      const area = svg('path', { class: `area ${color}`, 'fill-opacity': options.kind === 'line' ? '0.08' : '0.9' });
      const line = svg('path', { class: `line ${color}` });
      const dots = svg('path', { class: `line ${color}` });
      dots.style.strokeWidth = '5px';
      return { area, line, dots };
    });
    this.cursor = svg('line', { class: 'cursor', y1: TOP, y2: HEIGHT - BOTTOM, visibility: 'hidden' });
    this.svg.append(this.grid, ...this.paths.flatMap(({ area, line, dots }) => [area, line, dots]), this.cursor);
    this.empty = el('p', { class: 'empty' });
    this.element = el('figure', { class: 'card chart' }, el('div', { class: 'head' }, el('h3', {}, title), ...this.keys.map(key => key.element)), this.svg, this.empty);
    this.listen();
  }

  listen() {
    const under = event => {
      const { left } = this.svg.getBoundingClientRect();
      const slot = Math.floor((event.clientX - left - LEFT) / this.step());
      this.group.move(slot - (this.group.slots - this.group.times.length));
    };
    this.svg.addEventListener('pointermove', under);
    this.svg.addEventListener('pointerdown', under);
    this.svg.addEventListener('pointerleave', () => this.group.move(null));
    this.svg.addEventListener('blur', () => this.group.move(null));
    this.svg.addEventListener('keydown', event => {
      const last = this.group.times.length - 1;
      const at = this.group.at() ?? last + 1;
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last, Escape: null }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.group.move(to);
    });
  }

  width() { return Math.max(120, this.svg.clientWidth || 400); }
  step() { return (this.width() - LEFT) / this.group.slots; }
  x(index) { return LEFT + (this.group.slots - this.group.times.length + index) * this.step(); }

  draw() {
    const { kind, why } = this.options;
    this.columns = this.series.map(({ of }) => of());
    const isEmpty = this.columns.every(column => column.every(value => value === null));
    show(this.svg, !isEmpty);
    show(this.empty, isEmpty);
    put(this.empty, isEmpty ? why?.() ?? 'Nothing yet.' : '');
    if (isEmpty) return this.read();
    const total = index => sum(this.columns.map(column => column[index]));
    const peaks = kind === 'line' ? this.columns.flat().map(num) : this.group.times.map((_, index) => total(index));
    const { y, marks } = scaleOf(peaks, this.options);
    this.drawGrid(y, marks);
    if (kind === 'line') this.columns.forEach((column, index) => this.drawLine(this.paths[index], column, y));
    else this.drawStack(y);
    this.read();
  }

  drawGrid(toY, marks) {
    const width = this.width();
    attr(this.svg, 'viewBox', `0 0 ${width} ${HEIGHT}`);
    const parts = [];
    const write = (x, y, anchor, text) => {
      parts.push(svg('text', { x, y, 'text-anchor': anchor }));
      parts.at(-1).textContent = text;
    };
    for (const mark of marks) {
      const y = Math.round(toY(mark)) + 0.5;
      parts.push(svg('line', { class: 'grid', x1: LEFT, x2: width, y1: y, y2: y }));
      write(LEFT - 6, y + 4, 'end', this.options.axis(mark));
    }
    const { times, slots } = this.group;
    const every = Math.ceil((times.length * 52) / (width - LEFT)) || 1;
    // Full minutes, or as many periods as have room for their time.
    const isMarked = (time, index) => (slots === SECONDS ? time % 60 === 0 : (times.length - 1 - index) % every === 0);
    times.forEach((time, index) => {
      const x = this.x(index) + (slots === SECONDS ? 0 : this.step() / 2);
      if (isMarked(time, index) && x > LEFT + 12 && x < width - 16) write(x, HEIGHT - 3, 'middle', minute(time));
    });
    this.grid.replaceChildren(...parts);
  }

  drawLine({ area, line, dots }, column, y) {
    let path = '', fill = '', points = '', isOpen = false;
    column.forEach((value, index) => {
      const x = (this.x(index) + this.step() / 2).toFixed(1);
      if (value === null) {
        if (isOpen) fill += `V${y(0)}Z`;
        isOpen = false;
        return;
      }
      const at = y(value).toFixed(1);
      path += isOpen ? `L${x} ${at}` : `M${x} ${at}h0`;
      fill += isOpen ? `L${x} ${at}` : `M${x} ${y(0)}V${at}`;
      if (this.group.slots < 60) points += `M${x} ${at}h0`;
      isOpen = true;
    });
    if (isOpen) fill += `V${y(0)}Z`;
    attr(area, 'd', this.options.isFilled ? fill : '');
    attr(line, 'd', path);
    attr(dots, 'd', points);
  }

  drawStack(y) {
    const base = this.group.times.map(() => 0);
    const gap = this.step() > 5 ? Math.min(3, this.step() * 0.2) : 0;
    this.columns.forEach((column, series) => {
      let path = '';
      column.forEach((value, index) => {
        if (!(value > 0)) return;
        const x = this.x(index);
        path += `M${(x + gap / 2).toFixed(1)} ${y(base[index]).toFixed(1)}V${y(base[index] + value).toFixed(1)}H${(x + Math.max(1, this.step()) - gap / 2).toFixed(1)}V${y(base[index]).toFixed(1)}Z`;
        base[index] += value;
      });
      attr(this.paths[series].area, 'd', path);
    });
  }

  // The values under the cursor, or else the newest ones.
  read() {
    const at = this.group.at();
    const index = at ?? this.group.times.length - 1;
    const texts = this.columns.map(column => this.options.format(column[index] ?? null));
    texts.forEach((text, series) => put(this.keys[series].value, text));
    const x = this.x(index) + this.step() / 2;
    attr(this.cursor, 'x1', x.toFixed(1));
    attr(this.cursor, 'x2', x.toFixed(1));
    attr(this.cursor, 'visibility', at === null ? 'hidden' : 'visible');
    attr(this.svg, 'aria-valuemax', String(Math.max(0, this.group.times.length - 1)));
    attr(this.svg, 'aria-valuenow', String(Math.max(0, index)));
    const said = this.series.map(({ name }, series) => `${name} ${texts[series]}`).join(', ');
    attr(this.svg, 'aria-valuetext', `${clock(this.group.times[index])} UTC: ${said}`);
  }
}
