// A tree made anew of nodes in any order that has parents before their children.
import { depths, totals, weights } from './decode.js';

const NONE = -1;

/** Nodes that are looked up by parent and label: an open-addressing table, as a Map of millions is slow. */
export class Sprout {
  /** @param {number} most nodes that there can be @param {number} rootLabel */
  constructor(most, rootLabel) {
    this.parent = new Int32Array(most);
    this.label = new Uint32Array(most);
    this.count = 1;
    this.parent[0] = NONE;
    this.label[0] = rootLabel;
    this.mask = 2 ** Math.ceil(Math.log2(most * 1.6 + 2)) - 1;
    this.slots = new Int32Array(this.mask + 1).fill(NONE);
  }

  /** @param {number} parent @param {number} label @returns {number} the child, made if it is new */
  child(parent, label) {
    let at = (Math.imul(parent, 0x9e3779b1) ^ Math.imul(label, 0x85ebca6b)) >>> 0;
    at = (at ^ (at >>> 15)) & this.mask;
    for (; this.slots[at] !== NONE; at = (at + 1) & this.mask) {
      const node = this.slots[at];
      if (this.parent[node] === parent && this.label[node] === label) return node;
    }
    const made = this.count++;
    this.slots[at] = made;
    this.parent[made] = parent;
    this.label[made] = label;
    return made;
  }
}

/**
 * @typedef {Object} Loose
 * @property {Int32Array} parent smaller than the own index @property {Uint32Array} label
 * @property {import('./decode.js').Weights} self @property {import('./decode.js').Weights} [otherSelf]
 */

/**
 * @param {Loose} loose nodes; those that weigh nothing are left out
 * @param {Uint32Array} rank of each label by name
 * @param {string} order "heavy" or "name"
 * @returns {import('./decode.js').Columns} in preorder, siblings in order
 */
export function inPreorder(loose, rank, order) {
  const { parent, label, self, otherSelf } = loose;
  const count = parent.length;
  const total = totals(self, parent);
  const other = otherSelf && totals(otherSelf, parent);
  const alive = (i) => i === 0 || total[i] > 0 || (other !== undefined && other[i] > 0);
  const size = new Uint32Array(count);
  for (let i = count - 1; i >= 0; i--) {
    if (!alive(i)) continue;
    size[i] += 1;
    if (i) size[parent[i]] += size[i];
  }
  const { first, children } = childrenTable(parent, alive);
  const before = order === 'heavy'
    ? (a, b) => total[b] - total[a] || rank[label[a]] - rank[label[b]]
    : (a, b) => rank[label[a]] - rank[label[b]];
  const place = new Int32Array(count).fill(NONE);
  place[0] = 0;
  for (let i = 0; i < count; i++) {
    if (first[i + 1] - first[i] > 1) children.subarray(first[i], first[i + 1]).sort(before);
    let next = place[i] + 1;
    for (let at = first[i]; at < first[i + 1]; at++) {
      place[children[at]] = next;
      next += size[children[at]];
    }
  }
  return laidOut({ parent, label, self, otherSelf, total, other, size, place });
}

/** Children of each node, side by side: those of i are at first[i] to first[i + 1]. */
function childrenTable(parent, alive) {
  const count = parent.length;
  const first = new Uint32Array(count + 2);
  for (let i = 1; i < count; i++) if (alive(i)) first[parent[i] + 2]++;
  for (let i = 2; i < count + 2; i++) first[i] += first[i - 1];
  const children = new Uint32Array(first[count + 1]);
  // While it is filled, first[i + 1] is where the next child of i goes; afterwards, where those of i + 1 begin.
  for (let i = 1; i < count; i++) if (alive(i)) children[first[parent[i] + 1]++] = i;
  return { first, children };
}

/** @returns {import('./decode.js').Columns} */
function laidOut({ parent, label, self, otherSelf, total, other, size, place }) {
  const n = size[0];
  const level = new Uint32Array(parent.length);
  let deepest = 0;
  for (let i = 1; i < parent.length; i++) {
    level[i] = level[parent[i]] + 1;
    if (place[i] >= 0 && level[i] > deepest) deepest = level[i];
  }
  const made = {
    n, depth: depths(n, deepest), label: new Uint32Array(n), total: weights(n, total[0]), self: weights(n, total[0]),
    size: new Uint32Array(n), parent: new Int32Array(n),
    ...(other && { other: weights(n, other[0]), otherSelf: weights(n, other[0]) }),
  };
  for (let i = 0; i < parent.length; i++) {
    const to = place[i];
    if (to < 0) continue;
    made.depth[to] = level[i];
    made.label[to] = label[i];
    made.total[to] = total[i];
    made.self[to] = self[i];
    made.size[to] = size[i];
    made.parent[to] = i ? place[parent[i]] : NONE;
    if (!made.other) continue;
    made.other[to] = other[i];
    made.otherSelf[to] = otherSelf[i];
  }
  return made;
}
