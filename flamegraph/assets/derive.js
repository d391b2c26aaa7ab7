// Trees made of the tree: filtered, edited, ordered, turned upside down.
import { weights } from './decode.js';
import { Sprout, inPreorder } from './shape.js';

/**
 * @typedef {Object} Settings What the reader asked for; functions are ids of Book.functionOf.
 * @property {number[]} [hide] their frames go, what they call is called by their callers
 * @property {number[]} [collapse] what they call goes into them
 * @property {number[]} [focus] only stacks with one of them, from it on; none for all
 * @property {boolean} [merge] a function that is in its own stack goes on where it was first
 * @property {string} [order] "name" or "heavy"
 * @property {boolean} [swap] widths are those of the profile that this one is compared with
 * @property {(number[] | null)[]} [keep] by facet, the values to keep
 */

/** @param {string[]} names @returns {Uint32Array} place of each label in the order of names */
export function nameRank(names) {
  const order = Uint32Array.from(names.keys()).sort((a, b) => (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : a - b));
  const rank = new Uint32Array(names.length);
  order.forEach((label, at) => { rank[label] = at; });
  return rank;
}

/** @param {Settings} settings @returns {boolean} whether frames go elsewhere */
function isEdited({ hide, collapse, focus, merge }) {
  return Boolean(hide?.length || collapse?.length || focus?.length || merge);
}

/** @param {Settings} settings @returns {boolean} whether they leave the tree as it is */
export function isPlain(settings) {
  return !isEdited(settings) && (settings.order ?? 'name') === 'name' && !settings.swap && !settings.keep?.some(Boolean);
}

/**
 * @param {import('./decode.js').Tree} tree @param {Settings} settings
 * @param {import('./decode.js').Samples | null} samples
 * @returns {import('./decode.js').Columns}
 */
export function derive(tree, settings, samples) {
  if (isPlain(settings)) return tree;
  let source = tree;
  if (settings.keep?.some(Boolean) && samples) source = { ...source, self: keptSelf(tree, samples, settings.keep) };
  if (settings.swap && tree.otherSelf) source = { ...source, self: tree.otherSelf, otherSelf: source.self };
  const loose = isEdited(settings) ? edited(source, settings) : source;
  return inPreorder(loose, nameRank(tree.names), settings.order ?? 'name');
}

/** Self weights of the samples that every facet keeps. */
function keptSelf(tree, samples, keep) {
  const self = weights(tree.n, tree.total[0]);
  const wanted = keep.map((values, facet) => {
    if (!values) return null;
    const { values: known, heat } = samples.facets[facet];
    const flags = new Uint8Array(heat ? heat.rows * heat.columns : known.length);
    for (const value of values) flags[value] = 1;
    return flags;
  });
  const { node, weight, value } = samples;
  for (let i = 0; i < node.length; i++) {
    if (wanted.every((flags, facet) => !flags || flags[value[facet][i]])) self[node[i]] += weight[i];
  }
  return self;
}

/** What is done with the frames of a function. */
const HIDE = 1;
const COLLAPSE = 2;
const FOCUS = 4;

function edited(tree, settings) {
  const { n, depth, label, self, otherSelf, functionOf } = tree;
  const deed = new Uint8Array(tree.names.length);
  const note = (functions, bit) => {
    const set = new Set(functions);
    for (let at = 0; at < deed.length; at++) if (set.has(functionOf[at])) deed[at] |= bit;
  };
  note(settings.hide ?? [], HIDE);
  note(settings.collapse ?? [], COLLAPSE);
  const focused = Boolean(settings.focus?.length);
  note(settings.focus ?? [], FOCUS);
  const grown = new Sprout(n + 1, label[0]);
  const own = weights(n + 1, tree.total[0]);
  const otherOwn = otherSelf && weights(n + 1, tree.other?.[0] ?? 2 ** 32);
  // By depth: the new node that stands for the one that is open there (-1 outside of the focus).
  const at = new Int32Array(deepest(tree) + 1);
  const closed = new Uint8Array(at.length);
  for (let i = 0; i < n; i++) {
    const level = depth[i];
    at[level] = i ? grow(grown, at[level - 1], closed[level - 1], label[i], deed[label[i]], settings.merge, functionOf) : focused ? -1 : 0;
    closed[level] = i && (closed[level - 1] || (deed[label[i]] & COLLAPSE && at[level] >= 0)) ? 1 : 0;
    if (at[level] < 0) continue;
    own[at[level]] += self[i];
    if (otherOwn) otherOwn[at[level]] += otherSelf[i];
  }
  const { count } = grown;
  return { parent: grown.parent.subarray(0, count), label: grown.label.subarray(0, count), self: own.subarray(0, count), otherSelf: otherOwn?.subarray(0, count) };
}

/** @returns {number} the new node for a frame with that label below `above` */
function grow(grown, above, closed, label, deed, merge, functionOf) {
  if (closed) return above;
  if (above < 0) return deed & FOCUS ? grown.child(0, label) : -1;
  if (deed & HIDE) return above;
  if (merge) {
    const earlier = onPath(grown, above, functionOf, functionOf[label]);
    if (earlier > 0) return earlier;
  }
  return grown.child(above, label);
}

function onPath(grown, from, functionOf, wanted) {
  for (let node = from; node > 0; node = grown.parent[node]) if (functionOf[grown.label[node]] === wanted) return node;
  return -1;
}

/** @returns {number} */
function deepest(tree) {
  let most = 0;
  for (let i = 0; i < tree.n; i++) if (tree.depth[i] > most) most = tree.depth[i];
  return most;
}

/** @returns {Generator<number>} nodes of a function that are not below another one of it */
function* outermost(tree, wanted) {
  for (let i = 1; i < tree.n; ) {
    if (tree.functionOf[tree.label[i]] === wanted) {
      yield i;
      i += tree.size[i];
    } else i++;
  }
}

/**
 * What a function calls: its outermost frames made one, which is the root.
 * @param {import('./decode.js').Tree} tree @param {number} wanted a function
 * @returns {import('./decode.js').Tree}
 */
export function calleesOf(tree, wanted) {
  const places = [...outermost(tree, wanted)];
  const most = places.reduce((sum, node) => sum + tree.size[node], 1);
  const grown = new Sprout(most, tree.firstLabel[wanted]);
  const own = weights(most, tree.total[0]);
  const at = new Int32Array(deepest(tree) + 2);
  for (const place of places) {
    for (let i = place; i < place + tree.size[place]; i++) {
      const level = tree.depth[i] - tree.depth[place];
      at[level] = level ? grown.child(at[level - 1], tree.label[i]) : 0;
      own[at[level]] += tree.self[i];
    }
  }
  return finish(tree, grown, own);
}

/**
 * Who calls a function: the function is the root, its callers stand on it.
 * @param {import('./decode.js').Tree} tree @param {number} wanted a function
 * @returns {import('./decode.js').Tree}
 */
export function callersOf(tree, wanted) {
  const places = [...outermost(tree, wanted)];
  const grown = new Sprout(places.reduce((sum, node) => sum + tree.depth[node], 1), tree.firstLabel[wanted]);
  const own = weights(grown.parent.length, tree.total[0]);
  for (const place of places) {
    let node = 0;
    for (let up = tree.parent[place]; up > 0; up = tree.parent[up]) node = grown.child(node, tree.label[up]);
    own[node] += tree.total[place];
  }
  return finish(tree, grown, own);
}

function finish(tree, grown, own) {
  const cut = { parent: grown.parent.subarray(0, grown.count), label: grown.label.subarray(0, grown.count), self: own.subarray(0, grown.count) };
  return { ...bookIn(tree), ...inPreorder(cut, nameRank(tree.names), 'heavy') };
}

/** @param {import('./decode.js').Tree} tree @returns {import('./decode.js').Book} */
export function bookIn(tree) {
  const { names, sources, modules, module, schemes, functionOf, firstLabel, gap } = tree;
  return { names, sources, modules, module, schemes, functionOf, firstLabel, gap };
}
