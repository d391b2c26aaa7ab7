import { formatPoints, formatShare, formatWeight, oneLine } from './format.js';
import { matchedWeight } from './search.js';

// Looking through a larger tree for the other places of a function would slow the mouse down: it waits until it rests.
const LARGEST_AT_ONCE = 1_500_000;
const elsewhere = new WeakMap();

/** @param {string} tag @param {string} text @param {string} [style] */
export function element(tag, text, style) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

/**
 * @param {import('./decode.js').Tree} tree @param {number} node @param {number} zoom @param {string} unit
 * @param {{tree: import('./decode.js').Tree, node: number} | null} [beside] the same frame of the other profile, node -1 if it has none
 * @returns {HTMLElement[]} what the tooltip says about a node
 */
export function describeNode(tree, node, zoom, unit, beside = null) {
  const label = tree.label[node];
  const all = tree.total[0];
  const place = [tree.modules[tree.module[label]], tree.sources[label]].filter(Boolean).join(' · ');
  const shares = [`${formatShare(tree.total[node], all)} of all`];
  if (zoom) shares.push(`${formatShare(tree.total[node], tree.total[zoom])} of view`);
  const lines = [element('b', oneLine(tree.names[label]))];
  if (place) lines.push(element('div', oneLine(place), 'quiet'));
  const exact = node === 0 ? tree.exactTotal : undefined;
  lines.push(element('div', `total ${formatWeight(tree.total[node], unit, exact)} — ${shares.join(', ')}`));
  lines.push(element('div', `self ${formatWeight(tree.self[node], unit)} — ${formatShare(tree.self[node], all)}`));
  lines.push(...compared(tree, node, unit, beside));
  const everywhere = node && knowsElsewhere(tree, node) ? everywhereOf(tree, label) : null;
  if (everywhere && everywhere.nodes.length > 1) {
    const share = formatShare(everywhere.weight, all);
    lines.push(element('div', `everywhere ${share}, in ${everywhere.nodes.length.toLocaleString('en-US')} places`, 'quiet'));
  }
  return lines;
}

/** What the other profile says of the frame. */
function compared(tree, node, unit, beside) {
  const now = tree.total[0] ? tree.total[node] / tree.total[0] : 0;
  if (beside) {
    if (beside.node < 0) return [element('div', 'the other side does not have it', 'quiet')];
    const share = beside.tree.total[beside.node] / (beside.tree.total[0] || 1);
    return [element('div', `other side ${formatWeight(beside.tree.total[beside.node], unit)} — ${formatShare(share, 1)}, ${formatPoints(now - share)}`)];
  }
  if (!tree.other) return [];
  const others = tree.other[0] ? tree.other[node] / tree.other[0] : 0;
  const [when, change] = tree.swapped ? ['after', others - now] : ['before', now - others];
  return [element('div', `${when} ${formatWeight(tree.other[node], unit)} — ${formatShare(others, 1)}, ${formatPoints(change)}`)];
}

/** @param {import('./decode.js').Tree} tree @param {number} node @returns {boolean} whether its other places are known, or quickly found */
export function knowsElsewhere(tree, node) {
  return tree.n <= LARGEST_AT_ONCE || Boolean(elsewhere.get(tree)?.has(tree.label[node]));
}

/** Looks for the other places of a node's function. @param {import('./decode.js').Tree} tree @param {number} node */
export function findElsewhere(tree, node) {
  everywhereOf(tree, tree.label[node]);
}

function everywhereOf(tree, label) {
  if (!elsewhere.has(tree)) elsewhere.set(tree, new Map());
  const known = elsewhere.get(tree);
  if (!known.has(label)) {
    const only = new Uint8Array(tree.names.length);
    only[label] = 1;
    known.set(label, matchedWeight(tree, 0, only));
  }
  return known.get(label);
}

/** @returns {string} what a screen reader says about a node */
export function spokenNode(tree, node) {
  const name = oneLine(tree.names[tree.label[node]]);
  return `${name}, ${formatShare(tree.total[node], tree.total[0])} of all, depth ${tree.depth[node]}`;
}

/** @param {number} hidden nodes behind a filler */
export function describeFiller(hidden) {
  const count = hidden === 1 ? '1 box' : `${hidden.toLocaleString('en-US')} boxes`;
  return [element('b', `${count} too narrow to draw`), element('div', 'zoom in to see them', 'quiet')];
}

/** Puts the tooltip near the mouse, inside the window. @param {HTMLElement} tip */
export function placeTip(tip, x, y) {
  const { clientWidth, clientHeight } = document.documentElement;
  tip.style.left = `${Math.max(4, Math.min(x + 14, clientWidth - tip.offsetWidth - 6))}px`;
  const below = y + 20;
  tip.style.top = `${below + tip.offsetHeight > clientHeight - 6 ? Math.max(4, y - tip.offsetHeight - 12) : below}px`;
}
