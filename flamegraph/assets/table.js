// The functions of the view as a table; the same in words, for readers who see no graph.
import { byId } from './chrome.js';
import { formatShare, formatWeight, oneLine } from './format.js';
import { functionRows, sortRows } from './functions.js';
import { compileQuery } from './search.js';
import { element } from './tip.js';

const CHUNK = 200;

/**
 * @typedef {Object} TableHooks
 * @property {(id: number) => void} choose a function @property {(id: number) => void} open
 * @property {(id: number) => void} hover -1 when the mouse leaves
 */

export class FunctionTable {
  /** @param {TableHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.sort = { key: 'self', up: false };
    /** @type {import('./functions.js').Row[]} */
    this.rows = [];
    this.shown = 0;
    this.unit = '';
    this.all = 0;
    this.chosen = -1;
    this.listen();
  }

  /** @param {import('./decode.js').Tree} tree @param {number} zoom @param {string} unit */
  show(tree, zoom, unit) {
    this.everything = functionRows(tree, zoom);
    this.unit = unit;
    this.all = tree.total[zoom];
    this.refresh();
  }

  /** Sorts and filters anew. */
  refresh() {
    if (!this.everything) return;
    const text = /** @type {HTMLInputElement} */ (byId('table-filter')).value;
    const query = compileQuery(text, this.everything.map((row) => row.name));
    const inModule = compileQuery(text, this.everything.map((row) => row.module));
    const fits = (at) => !query || query.matches[at] || inModule?.matches[at];
    this.rows = sortRows(this.everything.filter((_, at) => fits(at)), this.sort.key, this.sort.up);
    this.shown = 0;
    byId('table-body').replaceChildren();
    byId('table-count').textContent = `${this.rows.length.toLocaleString('en-US')} of ${this.everything.length.toLocaleString('en-US')} functions`;
    for (const head of byId('table').querySelectorAll('th')) {
      const own = head.dataset.key === this.sort.key;
      head.setAttribute('aria-sort', own ? (this.sort.up ? 'ascending' : 'descending') : 'none');
    }
    this.more();
  }

  /** Adds rows: a table of 100,000 would take seconds. */
  more() {
    const next = this.rows.slice(this.shown, this.shown + CHUNK);
    byId('table-body').append(...next.map((row) => this.line(row)));
    this.shown += next.length;
  }

  /** @param {import('./functions.js').Row} row */
  line(row) {
    const line = document.createElement('tr');
    line.dataset.id = String(row.id);
    line.tabIndex = -1;
    if (row.id === this.chosen) line.setAttribute('aria-selected', 'true');
    line.append(this.amount(row.self), this.amount(row.total), element('td', oneLine(row.name), 'name'), element('td', row.module.split('/').pop() ?? '', 'quiet'));
    line.children[2].setAttribute('title', oneLine(row.name).slice(0, 2000));
    line.children[3].setAttribute('title', row.module);
    return line;
  }

  amount(weight) {
    const cell = element('td', '', 'number');
    const share = element('b', formatShare(weight, this.all));
    cell.append(share, element('span', formatWeight(weight, this.unit), 'quiet'));
    cell.style.setProperty('--share', String(this.all ? weight / this.all : 0));
    return cell;
  }

  /** Shows which function is meant elsewhere on the page. @param {number} id @param {boolean} reveal */
  mark(id, reveal) {
    this.chosen = id;
    const at = this.rows.findIndex((row) => row.id === id);
    while (reveal && at >= this.shown && this.shown < this.rows.length) this.more();
    for (const line of byId('table-body').children) {
      const own = Number(/** @type {HTMLElement} */ (line).dataset.id) === id;
      line.toggleAttribute('aria-selected', own);
      if (own) line.setAttribute('aria-selected', 'true');
      if (own && reveal) line.scrollIntoView({ block: 'nearest' });
    }
  }

  listen() {
    const body = byId('table-body');
    const idOf = (event) => Number(event.target.closest('tr')?.dataset.id ?? -1);
    for (const head of byId('table').querySelectorAll('th')) head.onclick = () => this.order(head.dataset.key ?? 'self');
    byId('table-filter').oninput = () => this.refresh();
    byId('table-scroll').onscroll = ({ target }) => {
      const scroll = /** @type {HTMLElement} */ (target);
      if (scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - 300) this.more();
    };
    body.onclick = (event) => this.choose(idOf(event));
    body.ondblclick = (event) => this.hooks.open(idOf(event));
    body.onmouseover = (event) => this.hooks.hover(idOf(event));
    body.onmouseleave = () => this.hooks.hover(-1);
    byId('table-scroll').onkeydown = (event) => this.onKey(event);
  }

  choose(id) {
    if (id < 0) return;
    this.mark(id, false);
    this.hooks.choose(id);
  }

  order(key) {
    const first = key === 'name' || key === 'module';
    this.sort = { key, up: this.sort.key === key ? !this.sort.up : first };
    this.refresh();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const at = this.rows.findIndex((row) => row.id === this.chosen);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 };
    if (event.key === 'Enter' && at >= 0) this.hooks.open(this.chosen);
    else if (Object.hasOwn(steps, event.key)) {
      const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, at + steps[event.key]))];
      if (next) { this.mark(next.id, true); this.hooks.choose(next.id); }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
