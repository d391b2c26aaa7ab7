import { formatShare, formatWeight, oneLine } from './format.js';
import { matchedWeight } from './search.js';

// Looking through the whole tree for the other places of a function must not slow the mouse down.
const LARGEST_FOR_ELSEWHERE = 400000;
const elsewhere = new Map();

/** @param {string} tag @param {string} text @param {string} [style] */
export function element(tag, text, style) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

/** @returns {HTMLElement[]} what the tooltip says about a node */
export function describeNode(tree, node, zoom, unit) {
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
  const everywhere = node && tree.n <= LARGEST_FOR_ELSEWHERE ? everywhereOf(tree, label) : null;
  if (everywhere && everywhere.nodes.length > 1) {
    const share = formatShare(everywhere.weight, all);
    lines.push(element('div', `everywhere ${share}, in ${everywhere.nodes.length.toLocaleString('en-US')} places`, 'quiet'));
  }
  return lines;
}

function everywhereOf(tree, label) {
  if (!elsewhere.has(label)) {
    const only = new Uint8Array(tree.names.length);
    only[label] = 1;
    elsewhere.set(label, matchedWeight(tree, 0, only));
  }
  return elsewhere.get(label);
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
