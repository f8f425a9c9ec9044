'use strict';
// Text for people: numbers, times, and names from outside.

const NOTHING = '–';

// Characters that are invisible or change the direction of the text around them, and halves of pairs.
const ODD = /[\p{C}\p{Zl}\p{Zp}\p{DI}]/gu;
const NAME_MAX = 2000;

// Text from an agent, with odd characters made visible.
function safe(value) {
  const text = typeof value === 'string' ? value : value == null ? '' : String(value);
  const shown = text.replace(ODD, odd => `\\u{${odd.codePointAt(0).toString(16)}}`);
  return shown.length > NAME_MAX ? shown.slice(0, NAME_MAX) + '…' : shown;
}

// Numbers and lists from an agent, whatever it sent.
const num = value => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const maybe = value => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const list = value => (Array.isArray(value) ? value : []);
const share = (part, whole) => (whole > 0 ? part / whole : null);
const sum = values => values.reduce((total, value) => total + num(value), 0);

const PLAIN = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const UNITS = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

function scaled(value, plainBelow, gap = ' ') {
  if (value === null) return NOTHING;
  if (Math.abs(value) >= 1e15) return value.toExponential(1);
  if (Math.abs(value) < plainBelow) return PLAIN.format(value);
  const [size, unit] = UNITS.find(([size]) => value >= size * 0.9995) ?? UNITS[3];
  const digits = value / size >= 99.95 ? 0 : value / size >= 9.995 ? 1 : 2;
  return (value / size).toFixed(digits) + gap + unit;
}
// All digits up to six of them.
const count = value => scaled(value, 1e6);
// A rate: one decimal when it is small.
const rate = value => (value === null ? NOTHING : value > 0 && value < 9.95 ? value.toFixed(1) : scaled(value, 1e5));
const axis = value => (value < 10 ? String(Number(value.toPrecision(2))) : scaled(value, 1e3, '').replace(/\.0+(?=\D|$)/, ''));
const bytes = value => (value === null ? NOTHING : (value < 1000 ? value.toFixed(0) + ' ' : scaled(value, 1e3)) + 'B');

function percent(value) {
  if (value === null) return NOTHING;
  const pct = value * 100;
  if (Math.abs(pct) >= 1e4) return scaled(pct, 1e4) + ' %';
  if (pct > 0 && pct < 0.1) return '< 0.1 %';
  return (pct < 9.95 && pct > 0 ? pct.toFixed(1) : pct.toFixed(0)) + ' %';
}

// Microseconds.
function duration(us) {
  if (us === null) return NOTHING;
  if (us < 1000) return us.toFixed(0) + ' µs';
  if (us >= 1e12) return us.toExponential(1) + ' µs';
  const [value, unit] = us < 999500 ? [us / 1000, 'ms'] : [us / 1e6, 's'];
  return value.toFixed(value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2) + ' ' + unit;
}

const isoOf = ts => { const date = new Date(num(ts) * 1000); return Number.isNaN(date.getTime()) ? '' : date.toISOString(); };
const clock = ts => isoOf(ts).slice(11, 19);
const minute = ts => isoOf(ts).slice(11, 16);
// With the date unless it is today.
function moment(ts) {
  const iso = isoOf(ts);
  const today = new Date().toISOString().slice(0, 10);
  return `${iso.slice(0, 10) === today ? '' : iso.slice(0, 10) + ' '}${iso.slice(11, 19)} UTC`;
}
function ago(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${(s / 3600).toFixed(1)} h` : `${Math.round(s / 86400)} days`;
}

// Elements. Text is always a text node: nothing from an agent is parsed as HTML.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
function svg(tag, attributes = {}) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
const $ = id => document.getElementById(id);
// These touch the page only where something changed, so that focus and selection stay.
function put(element, text) { if (element.textContent !== text) element.textContent = text; }
function attr(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
function show(element, isShown) { if (element.hidden === isShown) element.hidden = !isShown; }
// As many children as items, each brought up to date.
function each(parent, items, make, update) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, index) => update(parent.children[index], item, index));
}
// Rows of a table: { name, cells: [{ text, cls }], cls }.
function rows(body, items) {
  each(body, items, () => el('tr', {}, el('th', { scope: 'row' })), (row, item) => {
    attr(row, 'class', item.cls ?? '');
    attr(row.firstChild, 'class', item.nameCls ?? '');
    put(row.firstChild, item.name);
    while (row.children.length > item.cells.length + 1) row.lastElementChild.remove();
    while (row.children.length < item.cells.length + 1) row.append(el('td'));
    item.cells.forEach((cell, index) => {
      const { text, cls = '' } = typeof cell === 'string' ? { text: cell } : cell;
      put(row.children[index + 1], text);
      attr(row.children[index + 1], 'class', cls);
    });
  });
}
// A titled table in a card.
function panel(card, title, head, items) {
  if (!card.firstChild) {
    const table = el('table', {}, el('tbody'));
    if (head.length) table.prepend(el('thead', {}, el('tr', {}, ...head.map((text, at) => el('th', { scope: 'col', class: at ? 'number' : '' }, text)))));
    card.append(el('h3', {}, title), table);
  }
  rows(card.querySelector('tbody'), items);
}
