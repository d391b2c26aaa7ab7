// One flame graph on the page: its boxes, its outlines, what the mouse does to it.
import { ROW, characterWidth, drawView } from './draw.js';
import { listenToGestures } from './gestures.js';
import { WHOLE, boxOf, layoutRows, narrowMatches } from './layout.js';
import { boxUnder, lineOf, placeOutline, rowsNear } from './view.js';

/**
 * @typedef {Object} Look
 * @property {import('./decode.js').Tree} tree @property {number} zoom @property {import('./layout.js').Span} span
 * @property {boolean} icicle @property {string} theme @property {import('./colors.js').Colors} colors
 * @property {Uint8Array | null} matches
 *
 * @typedef {Object} GraphHooks
 * @property {(node: number) => void} choose
 * @property {(box: {node: number} | null, event: MouseEvent | null) => void} hover
 * @property {(node: number, event: MouseEvent) => void} menu
 * @property {(span: import('./layout.js').Span) => void} look
 */

export class Graph {
  /** @param {HTMLElement} host @param {string} prefix of the ids of its parts @param {string} name @param {GraphHooks} hooks */
  constructor(host, prefix, name, hooks) {
    this.hooks = hooks;
    this.stage = part('div', `${prefix}stage`, 'stage');
    this.canvas = part('div', `${prefix}canvas`, 'canvas');
    this.plot = part('div', `${prefix}plot`, 'plot');
    this.outlines = { chosen: part('div', `${prefix}chosen`, 'outline chosen'), hovered: part('div', `${prefix}hovered`, 'outline') };
    this.stage.tabIndex = 0;
    this.stage.setAttribute('role', 'application');
    this.stage.setAttribute('aria-label', `${name}. Arrow keys move between frames, Enter zooms, Escape resets, question mark lists all keys.`);
    this.canvas.append(this.plot, this.outlines.chosen, this.outlines.hovered);
    this.stage.append(this.canvas);
    host.append(this.stage);
    /** @type {Look | null} */
    this.look = null;
    this.rows = [];
    // What `rows` were laid out for.
    this.place = [];
    this.hidden = [];
    this.drawn = { first: 0, last: 0 };
    this.selected = 0;
    // Pixels between the roots of a flame and the lower edge of the stage, as the reader left them.
    this.belowScreen = 0;
    this.drawing = null;
    this.again = false;
    this.listen();
  }

  get width() {
    return Math.max(this.stage.clientWidth, 50);
  }

  /** @param {Look} look @param {boolean} keep whether the edge of the graph keeps its place on the screen */
  async show(look, keep = true) {
    const { tree, zoom, span, icicle, matches } = look;
    const { width } = this;
    const place = [tree, zoom, width, ...span];
    // A search moves nothing.
    if (place.some((part, at) => part !== this.place[at])) this.rows = layoutRows(tree, zoom, width, span);
    this.place = place;
    this.look = look;
    this.hidden = matches ? narrowMatches(tree, zoom, width, matches, span) : [];
    this.stage.classList.toggle('flame', !icicle);
    this.canvas.style.height = `${this.rows.length * ROW}px`;
    this.belowScreen = keep ? this.belowScreen : 0;
    if (!icicle) this.stage.scrollTop = this.stage.scrollHeight - this.stage.clientHeight - this.belowScreen;
    else if (!keep) this.stage.scrollTop = 0;
    await this.draw();
  }

  /** Draws the rows near the screen; asked while it is drawing, it draws once more at the end. */
  async draw() {
    this.again = true;
    this.drawing ??= (async () => {
      while (this.again) {
        this.again = false;
        this.drawn = this.near();
        const { icicle } = /** @type {Look} */ (this.look);
        this.plot.style.top = `${(icicle ? this.drawn.first : this.rows.length - this.drawn.last) * ROW}px`;
        await drawView(this.plot, this.viewOf(this.drawn));
      }
      this.drawing = null;
      const { zoom } = /** @type {Look} */ (this.look);
      this.mark('chosen', this.selected && this.selected !== zoom ? this.selected : -1);
      this.mark('hovered', -1);
    })();
    await this.drawing;
  }

  /** @param {{first: number, last: number}} part @returns {import('./draw.js').View} */
  viewOf(part) {
    const look = /** @type {Look} */ (this.look);
    return { ...look, ...part, rows: this.rows, hidden: this.hidden, character: characterWidth(), width: this.width };
  }

  /** Draws everything, at a width, at once: for paper. @param {number} width */
  drawForPaper(width) {
    if (!this.look) return;
    this.place = [];
    this.rows = layoutRows(this.look.tree, this.look.zoom, width, this.look.span);
    this.hidden = this.look.matches ? narrowMatches(this.look.tree, this.look.zoom, width, this.look.matches, this.look.span) : [];
    this.canvas.style.height = `${this.rows.length * ROW}px`;
    this.plot.style.top = '0px';
    drawView(this.plot, { ...this.viewOf({ first: 0, last: this.rows.length }), width });
  }

  near() {
    const { icicle } = /** @type {Look} */ (this.look);
    return rowsNear(this.stage.scrollTop - this.canvas.offsetTop, this.stage.clientHeight, this.rows.length, icicle);
  }

  line(node) {
    const { tree, icicle } = /** @type {Look} */ (this.look);
    return lineOf(tree.depth[node], this.rows.length, icicle);
  }

  boxOf(node) {
    return this.look && boxOf(this.look.tree, this.rows, node);
  }

  rowTop(node) {
    return this.canvas.getBoundingClientRect().top + this.line(node) * ROW;
  }

  under(event) {
    return this.look && boxUnder(event, this.canvas, this.rows, this.look.icicle);
  }

  /** Frames a node with one of the two outlines; -1 hides it. @param {'chosen' | 'hovered'} which @param {number} node */
  mark(which, node) {
    const box = node < 0 ? null : this.boxOf(node);
    this.outlines[which].hidden = !box;
    if (box) placeOutline(this.outlines[which], box, this.line(node));
  }

  /** Frames a node and brings it into sight. @param {number} node */
  select(node) {
    this.selected = node;
    const { stage } = this;
    const top = this.line(node) * ROW + this.canvas.offsetTop;
    if (top < stage.scrollTop || top + ROW > stage.scrollTop + stage.clientHeight) stage.scrollTop = top - stage.clientHeight / 2;
    this.mark('chosen', node);
  }

  leave() {
    this.mark('hovered', -1);
    this.hooks.hover(null, null);
  }

  listen() {
    const { canvas, stage, hooks } = this;
    listenToGestures(stage, canvas, {
      span: () => this.look?.span ?? WHOLE,
      look: (span) => hooks.look(span),
      menu: (event) => this.openMenu(event),
    });
    canvas.addEventListener('click', (event) => {
      const box = this.under(event);
      if (box && box.node >= 0) hooks.choose(box.node);
    });
    canvas.addEventListener('contextmenu', (event) => this.openMenu(event));
    stage.addEventListener('mousemove', (event) => this.onMove(event));
    stage.addEventListener('mouseleave', () => this.leave());
    stage.addEventListener('scroll', () => this.onScroll());
  }

  openMenu(event) {
    const box = this.under(event);
    if (!box || box.node < 0) return;
    event.preventDefault();
    this.hooks.menu(box.node, event);
  }

  onMove(event) {
    const box = this.under(event);
    this.outlines.hovered.hidden = !box;
    if (box) placeOutline(this.outlines.hovered, box, lineOf(box.depth, this.rows.length, this.look?.icicle));
    this.hooks.hover(box, event);
  }

  onScroll() {
    if (!this.look) return;
    this.leave();
    if (!this.drawing) this.belowScreen = this.stage.scrollHeight - this.stage.clientHeight - this.stage.scrollTop;
    const { first, last } = this.near();
    const halfScreen = this.stage.clientHeight / ROW / 2;
    const moved = Math.abs(first - this.drawn.first) > halfScreen || Math.abs(last - this.drawn.last) > halfScreen;
    if (moved && !this.drawing) this.draw();
  }
}

/** @param {string} tag @param {string} id @param {string} style @returns {HTMLElement} */
function part(tag, id, style) {
  const made = document.createElement(tag);
  made.id = `kf-${id}`;
  made.className = style;
  if (style.startsWith('outline')) made.hidden = true;
  return made;
}
