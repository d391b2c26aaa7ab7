// The address of a view: frames by their names, so that it also fits the next recording of the same program.

const LONGEST = 8000;

/**
 * @param {import('./decode.js').Tree} tree @param {number} node
 * @returns {string} names from the root down; "~2" behind a name is the second sibling of that name
 */
export function pathOf(tree, node) {
  const parts = [];
  for (let at = node; at > 0; at = tree.parent[at]) {
    const name = tree.names[tree.label[at]];
    let twin = 1;
    for (const child of childrenOf(tree, tree.parent[at])) {
      if (child === at) break;
      if (tree.names[tree.label[child]] === name) twin++;
    }
    parts.push(encodeName(name) + (twin > 1 ? `~${twin}` : ''));
  }
  return parts.reverse().join(';');
}

/** @param {string} name @returns {string} free of `;`, `:` and `~` */
export function encodeName(name) {
  // A lone surrogate has no URI encoding.
  return encodeURIComponent(name.toWellFormed ? name.toWellFormed() : name.replace(/[\ud800-\udfff]/g, '?')).replace(/~/g, '%7E');
}

/** @param {string} text @returns {string} */
export function decodeName(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @returns {number} the node at the path, or the last one on the way there that exists */
export function nodeAt(tree, path) {
  let node = 0;
  for (const part of path ? path.split(';') : []) {
    const [name, twin] = part.split('~');
    let left = Number(twin) || 1;
    const found = childrenOf(tree, node).find((child) => encodeName(tree.names[tree.label[child]]) === name && --left === 0);
    if (found === undefined) break;
    node = found;
  }
  return node;
}

/** @returns {number[]} */
export function childrenOf(tree, node) {
  const children = [];
  const end = node + tree.size[node];
  for (let child = node + 1; child < end; child += tree.size[child]) children.push(child);
  return children;
}

// These are encoded name by name.
const ENCODED = new Set(['path', 'hide', 'collapse', 'focus', 'event', 'keep', 'pick']);

/** @param {Object<string, string>} route @returns {string} */
export function toHash(route) {
  const parts = Object.entries(route).filter(([, value]) => value);
  const hash = parts.map(([key, value]) => `${key}=${ENCODED.has(key) ? value : encodeURIComponent(value)}`).join('&');
  return hash.length > LONGEST ? '' : hash;
}

/** @param {string} hash @returns {Object<string, string>} */
export function fromHash(hash) {
  /** @type {Object<string, string>} */
  const route = {};
  for (const part of hash.replace(/^#/, '').split('&')) {
    const at = part.indexOf('=');
    if (at < 0) continue;
    const [key, value] = [part.slice(0, at), part.slice(at + 1)];
    try {
      route[key] = ENCODED.has(key) ? value : decodeURIComponent(value);
    } catch { /* not an address of ours */ }
  }
  return route;
}

/** Puts the view into the address bar. @param {string} hash @param {boolean} newEntry @param {Object} state */
export function writeHash(hash, newEntry, state) {
  try {
    history[newEntry ? 'pushState' : 'replaceState'](state, '', hash ? `#${hash}` : location.pathname + location.search);
  } catch { /* a srcdoc frame has no address */ }
}
