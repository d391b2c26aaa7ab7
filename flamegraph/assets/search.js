/**
 * @typedef {Object} Query
 * @property {string} text
 * @property {boolean} literal whether the text is no regular expression and was taken as it is
 * @property {Uint8Array} matches 1 for each label that matches
 */

/**
 * Case does not matter unless the text has capitals.
 * @param {string} text @param {string[]} names @returns {Query | null} null for an empty text
 */
export function compileQuery(text, names) {
  if (!text) return null;
  const flags = text === text.toLowerCase() ? 'i' : '';
  let pattern;
  let literal = false;
  try {
    pattern = new RegExp(text, flags);
  } catch {
    literal = true;
    pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), flags);
  }
  const matches = new Uint8Array(names.length);
  for (let i = 0; i < names.length; i++) matches[i] = pattern.test(names[i]) ? 1 : 0;
  return { text, literal, matches };
}

/**
 * Weight of the stacks under `zoom` that hold a match, each counted once however often it matches.
 * @returns {{weight: number, nodes: number[]}} nodes: the outermost matches
 */
export function matchedWeight(tree, zoom, matches) {
  const { label, size, total } = tree;
  const nodes = [];
  let weight = 0;
  const end = zoom + size[zoom];
  // The root box is a label of ours: it matches nothing.
  for (let i = zoom || 1; i < end; ) {
    if (matches[label[i]]) {
      weight += total[i];
      nodes.push(i);
      i += size[i];
    } else i++;
  }
  return { weight, nodes };
}
