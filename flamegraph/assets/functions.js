// The tree as a list of functions.

/**
 * @param {import('./decode.js').Tree} tree @param {number} zoom only what is below it
 * @returns {{self: Float64Array, total: Float64Array}} by function; a total counts a stack once
 */
export function functionWeights(tree, zoom) {
  const { depth, label, self, total, size, functionOf, firstLabel } = tree;
  const own = new Float64Array(firstLabel.length);
  const all = new Float64Array(firstLabel.length);
  const open = new Uint32Array(firstLabel.length);
  let path = new Uint32Array(256);
  let deep = 0;
  // The root of everything is no function.
  const from = zoom || 1;
  const base = zoom ? depth[zoom] : 1;
  for (let i = from; i < zoom + size[zoom]; i++) {
    const level = depth[i] - base;
    while (deep > level) open[path[--deep]]--;
    if (deep >= path.length) path = longer(path);
    const which = functionOf[label[i]];
    own[which] += self[i];
    if (!open[which]) all[which] += total[i];
    open[which]++;
    path[deep++] = which;
  }
  return { self: own, total: all };
}

function longer(path) {
  const twice = new Uint32Array(path.length * 2);
  twice.set(path);
  return twice;
}

/**
 * @typedef {Object} Row
 * @property {number} id function @property {string} name @property {string} module
 * @property {number} self @property {number} total
 */

/**
 * @param {import('./decode.js').Tree} tree @param {number} zoom
 * @returns {Row[]} the functions that occur, in no order
 */
export function functionRows(tree, zoom) {
  const { self, total } = functionWeights(tree, zoom);
  const rows = [];
  for (let id = 0; id < total.length; id++) {
    if (!total[id]) continue;
    const label = tree.firstLabel[id];
    rows.push({ id, name: tree.names[label], module: tree.modules[tree.module[label]], self: self[id], total: total[id] });
  }
  return rows;
}

/**
 * @param {Row[]} rows @param {string} key column @param {boolean} up ascending
 * @returns {Row[]} sorted, ties by total, then by name
 */
export function sortRows(rows, key, up) {
  const sign = up ? 1 : -1;
  const text = key === 'name' || key === 'module';
  const by = text ? (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0) : (a, b) => a[key] - b[key];
  return rows.sort((a, b) => sign * by(a, b) || b.total - a.total || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
