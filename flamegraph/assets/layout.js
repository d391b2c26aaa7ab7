/** Boxes narrower than this many pixels are not drawn one by one. */
let narrowest = 0.5;

/** @param {number} pixels */
export function setNarrowest(pixels) {
  narrowest = pixels;
}

/** Numbers that a box takes in a row: node (or minus the nodes behind a filler), left, width. */
export const FIELDS = 3;

/**
 * @typedef {[number, number]} Span The part of the zoomed frame that is seen: from, to, as parts of 1.
 */
/** @type {Span} */
export const WHOLE = [0, 1];

/**
 * Lays out the subtree of `zoom` over `width` pixels, its ancestors over the whole width. Subtrees too narrow
 * to see are skipped in one step, so that the cost follows what is visible and not the size of the tree.
 * @param {import('./decode.js').Tree} tree @param {number} zoom @param {number} width @param {Span} [span]
 * @returns {number[][]} by depth, boxes from left to right, FIELDS numbers each
 */
export function layoutRows(tree, zoom, width, span = WHOLE) {
  const { depth, size } = tree;
  const rows = [];
  for (const node of ancestors(tree, zoom)) rows[depth[node]] = [node, 0, width];
  const rowOf = (node) => (rows[depth[node]] ??= []);
  walk(tree, zoom, width, span, (node, left, wide) => rowOf(node).push(node, left, wide),
    (node, left, wide) => addNarrow(rowOf(node), size[node], left, wide));
  // Within a span, a row may hold nothing.
  return Array.from(rows, (row) => withoutInvisible(row ?? []));
}

/**
 * Where matches hide in subtrees too narrow to be laid out.
 * @param {Uint8Array} matches by label
 * @param {import('./decode.js').Tree} tree @param {number} zoom @param {number} width @param {Span} [span]
 * @returns {number[][]} by depth, places from left to right, left and width each
 */
export function narrowMatches(tree, zoom, width, matches, span = WHOLE) {
  const { depth, size, label } = tree;
  const rows = [];
  walk(tree, zoom, width, span, () => {}, (node, left, wide) => {
    const end = node + size[node];
    let at = node;
    while (at < end && !matches[label[at]]) at++;
    if (at < end) addPlace((rows[depth[node]] ??= []), left, wide);
  });
  return rows;
}

/** Adds to the last place if they would touch on the screen. */
function addPlace(row, left, width) {
  const last = row.length - 2;
  if (last >= 0 && left - (row[last] + row[last + 1]) < narrowest) row[last + 1] = left + width - row[last];
  else row.push(left, width);
}

/** Calls `wide` for each box of the view, and `narrow` for each subtree of it that is too narrow to see. */
function walk(tree, zoom, width, [from, to], wide, narrow) {
  const { depth, total, size, label, gap } = tree;
  const scale = total[zoom] ? width / (total[zoom] * (to - from)) : 0;
  const origin = from * total[zoom];
  const threshold = scale ? narrowest / scale : 0;
  const base = depth[zoom];
  // Where the next child of the box that is open at a depth begins, in weight.
  const next = [0];
  const end = zoom + size[zoom];
  for (let i = zoom; i < end; ) {
    const level = depth[i] - base;
    const start = next[level];
    next[level] = start + total[i];
    const left = Math.max(0, (start - origin) * scale);
    const right = scale ? Math.min(width, (start + total[i] - origin) * scale) : width;
    if (right <= left && scale) {
      i += size[i];
    } else if (total[i] < threshold || label[i] === gap) {
      narrow(i, left, right - left);
      i += size[i];
    } else {
      wide(i, left, right - left);
      next[level + 1] = start;
      i++;
    }
  }
}

/** Merges a narrow box into the filler to its left if they touch. */
function addNarrow(row, nodes, left, width) {
  const last = row.length - FIELDS;
  if (last >= 0 && row[last] < 0 && left - (row[last + 1] + row[last + 2]) < 1e-6) {
    row[last] -= nodes;
    row[last + 2] = left + width - row[last + 1];
  } else {
    row.push(-nodes, left, width);
  }
}

/** @param {number[]} row */
function withoutInvisible(row) {
  const kept = [];
  for (let k = 0; k < row.length; k += FIELDS) {
    if (row[k] >= 0 || row[k + 2] >= narrowest) kept.push(row[k], row[k + 1], row[k + 2]);
  }
  return kept;
}

/** @returns {number[]} the nodes above `node`, root first */
export function ancestors(tree, node) {
  const nodes = [];
  for (let at = tree.parent[node]; at >= 0; at = tree.parent[at]) nodes.push(at);
  return nodes.reverse();
}

/** @returns {number} index in `row` of the box at pixel `x`, or -1 */
export function boxAt(row, x) {
  let low = 0;
  let high = row.length / FIELDS - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const left = row[middle * FIELDS + 1];
    if (x < left) high = middle - 1;
    else if (x >= left + Math.max(row[middle * FIELDS + 2], 1)) low = middle + 1;
    else return middle * FIELDS;
  }
  return -1;
}

/** @returns {{left: number, width: number} | null} where a node is drawn */
export function boxOf(tree, rows, node) {
  const row = rows[tree.depth[node]] || [];
  for (let k = 0; k < row.length; k += FIELDS) {
    if (row[k] === node) return { left: row[k + 1], width: row[k + 2] };
  }
  return null;
}
