// The whole graph in a strip, and where in it the view is.
import { FIELDS, layoutRows } from './layout.js';

const LINE = 2;
const MOST_ROWS = 24;

/** What is in the strip, as most zooms leave it as it is. @type {any[]} */
let drawn = [];

/**
 * Draws the whole, unless it is there already.
 * @param {HTMLCanvasElement} canvas
 * @param {import('./decode.js').Tree} tree
 * @param {import('./colors.js').Colors} colors
 * @param {{icicle: boolean, theme: string}} look
 */
export function drawMinimap(canvas, tree, colors, { icicle, theme }) {
  const width = Math.max(50, canvas.clientWidth);
  const wanted = [canvas, tree, colors, icicle, theme, width];
  if (wanted.every((part, at) => part === drawn[at])) return;
  drawn = wanted;
  const rows = layoutRows(tree, 0, width).slice(1, MOST_ROWS + 1);
  canvas.width = width;
  canvas.height = Math.max(6, rows.length * LINE);
  canvas.style.height = `${canvas.height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  rows.forEach((row, at) => {
    const top = (icicle ? at : rows.length - 1 - at) * LINE;
    for (let k = 0; k < row.length; k += FIELDS) {
      context.fillStyle = row[k] < 0 ? (theme === 'dark' ? '#3d424c' : '#d9dbe0') : colors.fills[colors.classOf(row[k])];
      context.fillRect(row[k + 1], top, Math.max(0.5, row[k + 2]), LINE);
    }
  });
}

/** @returns {number} weight to the left of a node @param {import('./decode.js').Tree} tree @param {number} node */
export function startOf(tree, node) {
  let start = 0;
  for (let at = node; at > 0; at = tree.parent[at]) {
    for (let child = tree.parent[at] + 1; child < at; child += tree.size[child]) start += tree.total[child];
  }
  return start;
}

/**
 * @param {import('./decode.js').Tree} tree @param {number} zoom @param {import('./layout.js').Span} span
 * @returns {import('./layout.js').Span} what is seen, as part of the whole
 */
export function seenOf(tree, zoom, [from, to]) {
  const all = tree.total[0] || 1;
  const start = startOf(tree, zoom);
  return [(start + from * tree.total[zoom]) / all, (start + to * tree.total[zoom]) / all];
}

/**
 * Brushing the strip shows the part brushed; a click moves the view there.
 * @param {HTMLElement} strip @param {() => import('./layout.js').Span} seen
 * @param {(span: import('./layout.js').Span) => void} look
 */
export function listenToMinimap(strip, seen, look) {
  let from = null;
  const part = (event) => {
    const box = strip.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(1, box.width)));
  };
  strip.addEventListener('pointerdown', (event) => {
    from = part(event);
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener('pointermove', (event) => {
    if (from === null || Math.abs(part(event) - from) * strip.clientWidth < 4) return;
    look([Math.min(from, part(event)), Math.max(from, part(event))]);
  });
  strip.addEventListener('pointerup', (event) => {
    const to = part(event);
    if (from !== null && Math.abs(to - from) * strip.clientWidth < 4) {
      const wide = seen()[1] - seen()[0];
      const left = Math.min(Math.max(0, to - wide / 2), 1 - wide);
      look([left, left + wide]);
    }
    from = null;
  });
}
