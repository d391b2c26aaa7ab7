/**
 * @typedef {Object} Tree The whole tree in preorder; node 0 is the root, i + size[i] is behind the subtree of i.
 * @property {number} n
 * @property {Uint32Array} depth
 * @property {Uint32Array} label index into names
 * @property {Float64Array} total
 * @property {Float64Array} self
 * @property {Uint32Array} size
 * @property {Int32Array} parent -1 for the root
 * @property {string[]} names
 * @property {string[]} sources empty, or "file:line" by label
 * @property {string[]} modules
 * @property {number[]} module index into modules by label
 * @property {Object<string, {of: number[], light: string[], dark: string[], legend: [string, number][]}>} schemes
 * @property {string} exactTotal the root's total in decimal, exact where a number is not
 */

/** @param {string} text base64 @returns {Uint8Array} */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
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
 * @param {Float64Array | Uint32Array} into
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

/**
 * @param {Uint8Array} bytes the three columns
 * @param {{nodes: number, columns: number[], total: string}} meta
 * @param {{name: string[], source: string[], modules: string[], module: number[], schemes: Object}} labels
 * @returns {Tree}
 */
export function decodeTree(bytes, meta, labels) {
  const n = meta.nodes;
  const fall = new Uint32Array(n);
  const label = new Uint32Array(n);
  const self = new Float64Array(n);
  readVarints(bytes, 0, n, fall);
  readVarints(bytes, meta.columns[0], n, label);
  readVarints(bytes, meta.columns[0] + meta.columns[1], n, self);
  const depth = new Uint32Array(n);
  const parent = new Int32Array(n).fill(-1);
  const open = [0];
  for (let i = 1; i < n; i++) {
    depth[i] = depth[i - 1] + 1 - fall[i];
    parent[i] = open[depth[i] - 1];
    open[depth[i]] = i;
  }
  const total = self.slice();
  const size = new Uint32Array(n).fill(1);
  for (let i = n - 1; i > 0; i--) {
    total[parent[i]] += total[i];
    size[parent[i]] += size[i];
  }
  return {
    n, depth, label, total, self, size, parent,
    names: labels.name, sources: labels.source, modules: labels.modules, module: labels.module,
    schemes: labels.schemes, exactTotal: meta.total,
  };
}
