// What the parts of the page share: the trees, what the reader asked for, and what is drawn.
import { announce, byId, few, showEdits, showLegend, showMatches, showPath } from './chrome.js';
import { colorsOf } from './colors.js';
import { calleesOf, callersOf } from './derive.js';
import { showEvent, unitOf } from './events.js';
import { showFilters } from './filters.js';
import { formatShare, formatWeight } from './format.js';
import { isWhole } from './gestures.js';
import { WHOLE } from './layout.js';
import { readPart, sayPart } from './moments.js';
import { drawMinimap, seenOf } from './minimap.js';
import { rederive } from './model.js';
import { nodeAt, pathOf, toHash, writeHash } from './route.js';
import { compileQuery, matchedWeight } from './search.js';
import { routeOf, settingsOf } from './state.js';
import { spokenNode } from './tip.js';

/**
 * @typedef {Object} Pane One profile, and the graph that shows it.
 * @property {import('./graph.js').Graph} graph @property {import('./decode.js').Tree} base as it was read
 * @property {import('./decode.js').Tree} tree as it is shown @property {number} zoom
 * @property {import('./decode.js').Samples | null} samples @property {string} derived settings that made `tree`
 */

/** @type {any} */
export const page = {
  options: null, unit: '', state: null, fresh: null, theme: 'light',
  /** @type {Pane[]} */
  panes: [],
  /** @type {import('./graph.js').Graph | null} */
  callers: null,
  /** @type {import('./graph.js').Graph | null} */
  callees: null,
  /** @type {import('./table.js').FunctionTable | null} */
  table: null,
  /** @type {import('./search.js').Query | null} */
  query: null,
  found: { weight: 0, nodes: [] }, foundAt: -1, hovered: 0,
  /** @type {(() => void) | null} */
  drawHeat: null,
};

const cache = new WeakMap();

/** Colours of a tree, made once: some need a walk through it. */
function colorsFor(tree) {
  const key = `${page.state.color} ${page.theme}`;
  const known = cache.get(tree);
  if (known?.key === key) return known.colors;
  const colors = colorsOf(tree, page.state.color, page.theme);
  cache.set(tree, { key, colors });
  return colors;
}

/** Makes the trees that the settings ask for, if they are not there yet. */
export async function refreshTrees() {
  for (const pane of page.panes) {
    const settings = settingsOf(page.state, pane.base, pane.samples);
    const wanted = JSON.stringify(settings);
    if (wanted !== pane.derived) {
      document.documentElement.dataset.busy = 'true';
      pane.tree = await rederive(pane.base, settings, pane.samples);
      pane.derived = wanted;
      delete document.documentElement.dataset.busy;
    }
    pane.zoom = nodeAt(pane.tree, page.state.path);
  }
  page.unit = unitOf(page.panes[0].samples, page.state.event, page.options.unit);
  page.query = compileQuery(page.state.query, page.panes[0].base.names);
}

/** Draws the page anew. @param {boolean} keep whether the graph keeps its place on the screen */
export async function render(keep = true) {
  const { state, panes } = page;
  const { tree, zoom } = panes[0];
  const main = byId('main');
  main.className = `view-${state.view}`;
  for (const view of ['graph', 'table', 'sandwich']) byId(`view-${view}`).setAttribute('aria-pressed', String(state.view === view));
  page.found = page.query ? matchedWeight(tree, zoom, page.query.matches) : { weight: 0, nodes: [] };
  const colors = colorsFor(tree);
  showChrome(colors);
  if (state.view === 'table' || state.view === 'sandwich') showTable();
  if (state.view === 'sandwich') await renderSandwich(keep);
  else await Promise.all(panes.map((pane) => pane.graph.show(paneLook(pane, state.icicle), keep)));
  if (panes.length > 1) showHeadings();
  showMinimap(colors);
  page.drawHeat?.();
}

function showChrome(colors) {
  const { state, panes, unit, query, found } = page;
  const { tree, zoom } = panes[0];
  showPath(tree, zoom, unit, goTo);
  showMatches(tree, zoom, query, found);
  showLegend(colors.legend);
  showEdits(state, change, sayKept);
  showFilters(state.keep, state.event);
  showEvent(state.event);
  byId('reset').disabled = zoom === 0 && isWhole(state.span);
  for (const key of ['icicle', 'merge', 'swap']) byId(key).checked = state[key];
  byId('color').value = state.color;
  byId('order').value = state.order;
}

/** @param {string} facet @param {string[]} values */
function sayKept(facet, values) {
  const heat = page.panes[0].samples?.facets.find(({ name }) => name === facet)?.heat;
  const part = heat && readPart(values[0], heat);
  return part ? sayPart(part, heat) : few(values);
}

/** @param {Pane} pane */
function paneLook(pane, icicle) {
  const { state, theme, query } = page;
  return { tree: pane.tree, zoom: pane.zoom, span: state.span, icicle, theme, colors: colorsFor(pane.tree), matches: query?.matches };
}

/** What each pane holds of what is zoomed to, and of what is searched. */
function showHeadings() {
  for (const { graph, tree, zoom } of page.panes) {
    const heading = graph.stage.parentElement.querySelector('h2');
    heading.dataset.name ??= heading.textContent;
    const found = page.query ? `, ${formatShare(matchedWeight(tree, zoom, page.query.matches).weight, tree.total[zoom])} matched` : '';
    const here = zoom ? ` (${formatShare(tree.total[zoom], tree.total[0])} of all)` : '';
    heading.textContent = `${heading.dataset.name} — ${formatWeight(tree.total[zoom], page.unit)}${here}${found}`;
  }
}

let listed = null;

function showTable() {
  const { tree, zoom } = page.panes[0];
  if (listed?.tree === tree && listed.zoom === zoom) return;
  listed = { tree, zoom };
  page.table.show(tree, zoom, page.unit);
}

/** @param {string} name @returns {number} the heaviest function of that name, -1 if there is none */
export function functionNamed(name) {
  const { names, firstLabel } = page.panes[0].base;
  return firstLabel.findIndex((label) => names[label] === name);
}

async function renderSandwich(keep) {
  const { tree } = page.panes[0];
  const id = functionNamed(page.state.pick);
  byId('sandwich-empty').hidden = id >= 0;
  byId('sandwich-graphs').hidden = id < 0;
  if (id < 0) return;
  const shared = { zoom: 0, span: WHOLE, theme: page.theme };
  for (const [graph, make, icicle] of [[page.callers, callersOf, false], [page.callees, calleesOf, true]]) {
    const half = make(tree, id);
    // What is found elsewhere only must not make everything here faint.
    const matches = page.query && matchedWeight(half, 0, page.query.matches).nodes.length ? page.query.matches : null;
    await graph.show({ ...shared, matches, tree: half, icicle, colors: colorsFor(half) }, keep);
  }
  page.table.mark(id, true);
}

function showMinimap(colors) {
  const { state, panes, theme } = page;
  const { tree, zoom } = panes[0];
  const wanted = panes.length === 1 && state.view !== 'sandwich' && (zoom > 0 || !isWhole(state.span));
  // It keeps its place where there is room for it: a graph that jumps at every zoom is hard to follow.
  byId('minimap').classList.toggle('idle', !wanted);
  if (panes.length > 1 || state.view === 'sandwich') { byId('minimap').hidden = true; return; }
  byId('minimap').hidden = false;
  drawMinimap(byId('minimap-canvas'), tree, colors, { icicle: state.icicle, theme });
  const [from, to] = seenOf(tree, zoom, state.span);
  Object.assign(byId('minimap-seen').style, { left: `${100 * from}%`, width: `${Math.max(0.2, 100 * (to - from))}%` });
}

/** Puts the view into the address bar. @param {boolean} newEntry */
export function remember(newEntry) {
  writeHash(toHash(routeOf(page.state, page.fresh)), newEntry, { ...page.state });
}

/** Changes what the reader asked for, and draws that. @param {Object} wishes parts of the state @param {boolean} [newEntry] */
export async function change(wishes, newEntry = true) {
  page.state = { ...page.state, ...wishes };
  page.foundAt = -1;
  remember(newEntry);
  await refreshTrees();
  await render(!('icicle' in wishes));
}

/** Zooms to a node of a pane, the others follow. @param {number} node @param {Pane} [pane] */
export async function goTo(node, pane = page.panes[0]) {
  if (!Number.isInteger(node) || node < 0 || node >= pane.tree.n) return;
  const path = pathOf(pane.tree, node);
  const moved = path !== page.state.path || !isWhole(page.state.span);
  for (const each of page.panes) {
    each.zoom = each === pane ? node : nodeAt(each.tree, path);
    each.graph.selected = each.zoom;
  }
  page.state = { ...page.state, path, span: WHOLE };
  page.foundAt = -1;
  if (moved) remember(true);
  await render();
  if (moved) announce(spokenNode(pane.tree, node));
}

let spanning;

/** Shows a part of the zoomed frame. @param {import('./layout.js').Span} span */
export function lookAt(span) {
  page.state = { ...page.state, span };
  clearTimeout(spanning);
  // An address for every turn of the wheel would fill the history.
  spanning = setTimeout(() => remember(false), 250);
  return render();
}
