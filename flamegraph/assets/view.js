// Where rows stand on the page: flame has the roots at the bottom, icicle on top.
import { ROW } from './draw.js';
import { boxAt } from './layout.js';

/** @returns {number} line from the top of the graph on which a depth is drawn */
export function lineOf(depth, rowCount, icicle) {
  return icicle ? depth : rowCount - 1 - depth;
}

/**
 * Rows to draw: those on the screen and one screen more on both sides, as a stack may be 60,000 deep.
 * @param {number} top pixels of the graph above the screen @param {number} height of the screen
 * @returns {{first: number, last: number}} depths, the last one excluded
 */
export function rowsNear(top, height, rowCount, icicle) {
  const screen = Math.ceil(height / ROW);
  const nearest = Math.floor(Math.max(0, top) / ROW);
  const first = icicle ? nearest - screen : rowCount - nearest - 2 * screen;
  return {
    first: Math.max(0, Math.min(first, rowCount - 1)),
    last: Math.max(1, Math.min(first + 3 * screen, rowCount)),
  };
}

/** @returns {{node: number, left: number, width: number, depth: number} | null} the box under the mouse */
export function boxUnder(event, canvas, rows, icicle) {
  const ground = canvas.getBoundingClientRect();
  const depth = lineOf(Math.floor((event.clientY - ground.top) / ROW), rows.length, icicle);
  const row = rows[depth];
  const at = row ? boxAt(row, event.clientX - ground.left) : -1;
  return at < 0 ? null : { node: row[at], left: row[at + 1], width: row[at + 2], depth };
}

/** @param {HTMLElement} outline @param {{left: number, width: number}} box @param {number} line */
export function placeOutline(outline, box, line) {
  const width = Math.max(box.width - 1, 2);
  Object.assign(outline.style, { left: `${box.left}px`, width: `${width}px`, top: `${line * ROW}px`, height: `${ROW}px` });
}
