// What stands around the graph: path, legend, match count, copied names.
import { formatShare, formatWeight, oneLine } from './format.js';
import { ancestors } from './layout.js';
import { element } from './tip.js';

/** How many frames the path names, the zoomed one too; of a narrow window, only that and the first. */
const crumbs = () => (innerWidth < 640 ? 2 : 5);
const LEGEND = 8;

/** @param {string} id @returns {any} the element; any, as each has properties of its own */
export const byId = (id) => document.getElementById(`kf-${id}`);

/** Shows where the view is, as a path whose parts are clickable. */
export function showPath(tree, zoom, unit, zoomTo) {
  const above = ancestors(tree, zoom);
  const most = crumbs();
  const shown = above.length >= most ? [above[0], null, ...above.slice(above.length + 2 - most)] : above;
  const parts = shown.map((node) => {
    if (node === null) return element('span', '…', 'quiet');
    const crumb = element('button', oneLine(tree.names[tree.label[node]]), 'crumb');
    crumb.title = crumb.textContent;
    crumb.onclick = () => zoomTo(node);
    return crumb;
  });
  const here = element('b', oneLine(tree.names[tree.label[zoom]]), 'crumb');
  here.title = here.textContent;
  const weight = formatWeight(tree.total[zoom], unit, zoom ? undefined : tree.exactTotal);
  const share = zoom ? `, ${formatShare(tree.total[zoom], tree.total[0])} of all` : '';
  byId('path').replaceChildren(...parts, here, element('span', weight + share, 'amount'));
}

/** @param {{text: string, fill: string}[]} legend */
export function showLegend(legend) {
  const entries = legend.slice(0, LEGEND).map(({ text, fill }) => {
    const entry = element('li', text.split('/').pop() || text);
    entry.title = text;
    const swatch = element('i', '');
    swatch.style.background = fill;
    entry.prepend(swatch);
    return entry;
  });
  if (legend.length > LEGEND) entries.push(element('li', `and ${legend.length - LEGEND} more`, 'quiet'));
  byId('legend').replaceChildren(...entries);
}

/** @param {import('./search.js').Query | null} query @param {{weight: number, nodes: number[]}} found */
export function showMatches(tree, zoom, query, found) {
  const places = found.nodes.length.toLocaleString('en-US');
  const share = formatShare(found.weight, tree.total[zoom]);
  byId('matched').textContent = query ? `${share} matched, ${places} ${found.nodes.length === 1 ? 'place' : 'places'}` : '';
  byId('literal').textContent = query?.literal ? 'not a regular expression: searched as text' : '';
  for (const id of ['previous', 'next', 'clear']) byId(id).hidden = !query;
}

/**
 * Shows what was edited, each with a way to undo it.
 * @param {import('./state.js').State} state @param {(wishes: Object) => void} change
 * @param {(facet: string, values: string[]) => string} say what is kept of a facet
 */
export function showEdits(state, change, say) {
  const without = (names, gone) => names.filter((name) => name !== gone);
  /** @type {any[][]} */
  const edits = [
    ...state.hide.map((name) => [`hidden: ${name}`, { hide: without(state.hide, name) }]),
    ...state.collapse.map((name) => [`collapsed: ${name}`, { collapse: without(state.collapse, name) }]),
    ...(state.focus ? [[`only below ${state.focus}`, { focus: '' }]] : []),
    ...(state.merge ? [['recursion merged', { merge: false }]] : []),
    ...(state.swap ? [['widths of before', { swap: false }]] : []),
    ...Object.entries(state.keep).filter(([, values]) => values).map(([facet, values]) => [`${facet}: ${say(facet, values)}`, { keep: { ...state.keep, [facet]: undefined } }]),
  ];
  byId('edits').replaceChildren(...edits.map(([text, wishes]) => {
    const item = element('button', oneLine(text), 'edit');
    item.title = `${oneLine(text)} — click to undo`;
    item.onclick = () => change(wishes.keep ? { keep: JSON.parse(JSON.stringify(wishes.keep)) } : wishes);
    return item;
  }));
  byId('edits').hidden = !edits.length;
}

/** @param {string[]} values @returns {string} */
export function few(values) {
  return values.length > 3 ? `${values.length} of them` : values.map((value) => value || '(none)').join(', ') || 'none';
}

/** @returns {Promise<boolean>} whether the clipboard took the text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A frame without the permission still has the old way.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}

let fading;

/** Says something to screen readers, and to the eye for a moment if `seen`. */
export function announce(text, seen = false) {
  byId('live').textContent = text;
  if (!seen) return;
  const toast = byId('toast');
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { toast.hidden = true; }, 1600);
}

/** Copies the full name of a frame and says so. @param {string} name */
export async function copyName(name) {
  announce((await copyText(name)) ? `copied ${oneLine(name)}` : 'the browser does not let this page copy', true);
}
