/**
 * @typedef {Float64Array | Uint32Array} Weights
 *
 * @typedef {Object} Scheme
 * @property {number[]} of class by label
 * @property {string[]} light @property {string[]} dark colour by class
 * @property {[string, number][]} legend
 *
 * @typedef {Object} Book What labels mean; the trees of a page share one.
 * @property {string[]} names
 * @property {string[]} sources empty, or "file:line" by label
 * @property {string[]} modules
 * @property {number[]} module index into modules by label
 * @property {Object<string, Scheme>} schemes
 * @property {Uint32Array} functionOf function by label: labels of one name and module are one function
 * @property {number[]} firstLabel a label by function
 * @property {number} gap label of what an overview leaves out, -1 if there is none
 *
 * @typedef {Object} Columns A tree in preorder; node 0 is the root, i + size[i] is behind the subtree of i.
 * @property {number} n
 * @property {Uint32Array | Uint16Array} depth
 * @property {Uint32Array} label
 * @property {Weights} total
 * @property {Weights} self
 * @property {Uint32Array} size
 * @property {Int32Array} parent -1 for the root
 * @property {Weights} [other] totals of the profile that this one is compared with
 * @property {Weights} [otherSelf]
 * @property {number[]} [counts] samples before and after, where they are told
 * @property {boolean} [swapped] `total` is that of before, `other` that of now
 * @property {string} [exactTotal] the root's total in decimal, exact where a number is not
 *
 * @typedef {Columns & Book} Tree
 */

/** @param {string} text base64 @returns {Uint8Array<ArrayBuffer>} */
export function fromBase64(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64;
  if (native) return native.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {string} text base64 of a zlib stream @returns {Promise<Uint8Array>} */
export async function inflate(text) {
  const stream = new Blob([fromBase64(text.trim())]).stream();
  const plain = stream.pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

/**
 * Reads LEB128 numbers. Multiplies instead of shifting, as shifts end at 32 bits.
 * @param {Uint8Array} bytes @param {number} at @param {number} count
 * @param {Weights | Int32Array} into
 */
export function readVarints(bytes, at, count, into) {
  for (let i = 0; i < count; i++) {
    let byte = bytes[at++];
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++];
      value += (byte & 127) * scale;
    }
    into[i] = value;
  }
}

/** @param {number} length @param {number} sum of all weights @returns {Weights} */
export function weights(length, sum) {
  return sum < 2 ** 32 ? new Uint32Array(length) : new Float64Array(length);
}

/** @param {number} length @param {number} deepest @returns {Uint32Array | Uint16Array} */
export function depths(length, deepest) {
  return deepest < 65536 ? new Uint16Array(length) : new Uint32Array(length);
}

/**
 * @param {{name: string[], source: string[], modules: string[], module: number[], schemes: Object, gap?: number}} labels
 * @returns {Book}
 */
export function bookOf(labels) {
  const known = new Map();
  const functionOf = new Uint32Array(labels.name.length);
  const firstLabel = [];
  labels.name.forEach((name, label) => {
    const key = `${labels.module[label]} ${name}`;
    let found = known.get(key);
    if (found === undefined) {
      known.set(key, (found = firstLabel.length));
      firstLabel.push(label);
    }
    functionOf[label] = found;
  });
  return {
    names: labels.name, sources: labels.source, modules: labels.modules, module: labels.module,
    schemes: labels.schemes, functionOf, firstLabel, gap: labels.gap ?? -1,
  };
}

/**
 * @param {Uint8Array} bytes three columns, or four if there are weights to compare with
 * @param {{nodes: number, columns: number[], total: string, other?: string, maxDepth?: number}} meta
 * @returns {Columns}
 */
export function decodeColumns(bytes, meta) {
  const n = meta.nodes;
  const starts = meta.columns.map((_, at) => meta.columns.slice(0, at).reduce((sum, size) => sum + size, 0));
  const fall = new Uint32Array(n);
  const label = new Uint32Array(n);
  const self = weights(n, Number(meta.total));
  readVarints(bytes, starts[0], n, fall);
  readVarints(bytes, starts[1], n, label);
  readVarints(bytes, starts[2], n, self);
  const depth = depths(n, meta.maxDepth ?? n);
  const parent = new Int32Array(n).fill(-1);
  const open = new Int32Array((meta.maxDepth ?? n) + 1);
  for (let i = 1; i < n; i++) {
    const level = depth[i - 1] + 1 - fall[i];
    depth[i] = level;
    parent[i] = open[level - 1];
    open[level] = i;
  }
  const size = new Uint32Array(n).fill(1);
  for (let i = n - 1; i > 0; i--) size[parent[i]] += size[i];
  const columns = { n, depth, label, total: totals(self, parent), self, size, parent, exactTotal: meta.total };
  if (meta.other === undefined) return columns;
  const otherSelf = weights(n, Number(meta.other));
  readVarints(bytes, starts[3], n, otherSelf);
  return { ...columns, otherSelf, other: totals(otherSelf, parent) };
}

/** @param {Weights} self @param {Int32Array} parent smaller than the own index @returns {Weights} */
export function totals(self, parent) {
  const total = self.slice();
  for (let i = total.length - 1; i > 0; i--) total[parent[i]] += total[i];
  return total;
}

/** @param {Uint8Array} bytes @param {Object} meta @param {Object} labels @returns {Tree} */
export function decodeTree(bytes, meta, labels) {
  return { ...decodeColumns(bytes, /** @type {any} */ (meta)), ...bookOf(/** @type {any} */ (labels)) };
}

/**
 * @typedef {{name: string, values: string[], heat?: import('./moments.js').Heat, units?: string[]}} Facet heat: it is of time, and has cells for values; units: it is of events, one by value
 *
 * @typedef {Object} Samples Parts of the nodes' self weights, by what a reader may filter them by.
 * @property {Uint32Array} node ascending
 * @property {Weights} weight
 * @property {Uint32Array[]} value by facet, an index into its values
 * @property {Facet[]} facets
 */

/**
 * @param {Uint8Array} bytes a column of steps between nodes, one of weights, one a facet
 * @param {{rows: number, columns: number[], total: string, facets: Facet[]}} meta
 * @returns {Samples}
 */
export function decodeSamples(bytes, meta) {
  const columns = [];
  let at = 0;
  meta.columns.forEach((size, which) => {
    const column = which === 1 ? weights(meta.rows, Number(meta.total)) : new Uint32Array(meta.rows);
    readVarints(bytes, at, meta.rows, column);
    columns.push(column);
    at += size;
  });
  const [node, weight, ...value] = columns;
  for (let i = 1; i < meta.rows; i++) node[i] += node[i - 1];
  return { node, weight, value, facets: meta.facets };
}
