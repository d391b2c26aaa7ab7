/** Characters of a name that a pattern made of it has at most. */
export const LONGEST_PATTERN = 1000;

/**
 * @typedef {Object} Query
 * @property {string} text
 * @property {boolean} literal whether the text is no regular expression and was taken as it is
 * @property {Uint8Array} matches 1 for each label that matches
 */

/**
 * Finds names: a regular expression, or several, of which any may match, with commas between. Case does not
 * matter unless the text has capitals. A comma within brackets or behind a backslash is one of the expression.
 * @param {string} text @param {string[]} names @returns {Query | null} null for an empty text
 */
export function compileQuery(text, names) {
  if (!text) return null;
  const flags = text === text.toLowerCase() ? 'i' : '';
  let literal = false;
  const patterns = alternatives(text).map((part) => {
    try {
      return compiled(part, flags);
    } catch {
      literal = true;
      return compiled(escapePattern(part.slice(0, LONGEST_PATTERN)), flags);
    }
  });
  const matches = new Uint8Array(names.length);
  for (let i = 0; i < names.length; i++) matches[i] = patterns.some((pattern) => pattern.test(names[i])) ? 1 : 0;
  return { text, literal, matches };
}

/** @param {string} pattern @param {string} flags */
function compiled(pattern, flags) {
  const made = new RegExp(pattern, flags);
  // That it is too large shows only at its first use.
  made.test('');
  return made;
}

/** @param {string} text @returns {string} a pattern that finds the text as it is, commas too */
export function escapePattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\,]/g, '\\$&');
}

/** @param {string} text @returns {string[]} */
function alternatives(text) {
  const parts = [''];
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') parts[parts.length - 1] += character + (text[++i] ?? '');
    else if (character === ',' && open <= 0) parts.push('');
    else {
      if ('([{<'.includes(character)) open++;
      if (')]}>'.includes(character)) open--;
      parts[parts.length - 1] += character;
    }
  }
  const wanted = parts.map((part) => part.trim()).filter(Boolean);
  return wanted.length > 1 ? wanted : [text];
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
