import { announce, byId } from './chrome.js';
import { COMMANDS, frameMenu, moveTo, sandwich, search, searchName, setTheme, stepMatch, stepOut } from './commands.js';
import { inflate } from './decode.js';
import { startPlotly } from './draw.js';
import { buildEvents } from './events.js';
import { buildFilters } from './filters.js';
import { Graph } from './graph.js';
import { startHeatmap } from './heatmap.js';
import { actionOf } from './keys.js';
import { closeMenu, menuKey } from './menu.js';
import { listenToMinimap, seenOf } from './minimap.js';
import { setNarrowest } from './layout.js';
import { load, serve } from './model.js';
import { change, functionNamed, goTo, lookAt, page, refreshTrees, remember, render } from './page.js';
import { listenToPrinting, takePicture } from './picture.js';
import { fromHash, nodeAt, pathOf } from './route.js';
import { freshState, stateFrom } from './state.js';
import { FunctionTable } from './table.js';
import { followTheme } from './theme.js';
import { describeFiller, describeNode, findElsewhere, knowsElsewhere, placeTip } from './tip.js';

const REST_MS = 150;

/** @param {string} id @returns {string} */
const textOf = (id) => byId(id)?.textContent ?? '';

let resting;

function onHover(box, event, tree, zoom, pane) {
  const tip = byId('tip');
  clearTimeout(resting);
  tip.hidden = !box;
  page.hovered = box && box.node > 0 && pane === page.panes[0] ? box.node : 0;
  for (const other of page.panes) if (pane && other !== pane) followHover(box, pane, other);
  if (!box) return;
  const other = pane && page.panes.length > 1 ? { tree: page.panes.find((each) => each !== pane).tree, node: twinOf(box, pane) } : null;
  tip.replaceChildren(...(box.node < 0 ? describeFiller(-box.node) : describeNode(tree, box.node, zoom, page.unit, other)));
  placeTip(tip, event.clientX, event.clientY);
  if (box.node > 0 && !knowsElsewhere(tree, box.node)) resting = setTimeout(() => { findElsewhere(tree, box.node); onHover(box, event, tree, zoom, pane); }, REST_MS);
}

/** @returns {number} the same frame in the other pane, -1 if it is not there */
function twinOf(box, pane, other = page.panes.find((each) => each !== pane)) {
  if (!box || box.node < 0) return -1;
  const twin = nodeAt(other.tree, pathOf(pane.tree, box.node));
  return other.tree.depth[twin] === pane.tree.depth[box.node] ? twin : -1;
}

function followHover(box, pane, other) {
  other.graph.mark('hovered', twinOf(box, pane, other));
}

/** Makes the graph of a pane. */
function addPane(host, prefix, name) {
  /** @type {any} the graph and what it calls need the pane, which is filled later */
  const pane = { graph: null, base: null, tree: null, zoom: 0, samples: null, derived: '' };
  pane.graph = new Graph(host, prefix, name, {
    choose: (node) => goTo(node, pane),
    hover: (box, event) => pane.tree && onHover(box, event, pane.tree, pane.zoom, pane),
    menu: (node, event) => frameMenu(pane.tree.names[pane.tree.label[node]], event, () => goTo(node, pane)),
    look: lookAt,
  });
  page.panes.push(pane);
}

/** Makes one half of the sandwich. */
function addHalf(host, prefix, name) {
  const nameAt = (node) => graph.look.tree.names[graph.look.tree.label[node]];
  const graph = new Graph(byId(host), prefix, name, {
    choose: (node) => sandwich(nameAt(node)),
    hover: (box, event) => graph.look && onHover(box, event, graph.look.tree, 0, null),
    menu: (node, event) => frameMenu(nameAt(node), event),
    look: () => {},
  });
  return graph;
}

function addTable() {
  const name = (id) => page.panes[0].base.names[page.panes[0].base.firstLabel[id]];
  page.table = new FunctionTable({
    choose: (id) => (page.state.view === 'sandwich' ? sandwich(name(id)) : searchName(name(id))),
    open: (id) => sandwich(name(id)),
    hover: () => {},
  });
}

/** Takes the view from the address bar, or what is too long for one from the history. */
function recall(saved) {
  const colors = [...byId('color').querySelectorAll('option')].map((option) => option.value);
  page.state = saved && !location.hash ? { ...page.fresh, ...saved } : stateFrom(fromHash(location.hash), page.fresh, colors);
  byId('query').value = page.state.query;
}

function onKey(event) {
  if (menuKey(event)) return;
  const action = actionOf(event, page.state.icicle);
  if (byId('help').open && action !== 'help') return;
  const typing = event.target.matches?.('input, select, textarea');
  const pressing = event.target.matches?.('button, summary, a') && action === 'zoom';
  if (!action || typing || pressing) return;
  event.preventDefault();
  if (action === 'escape') stepOut();
  else if (COMMANDS[action]) COMMANDS[action]();
  else moveTo(action);
}

function onQueryKey(event) {
  if (event.key === 'Enter') stepMatch(event.shiftKey ? -1 : 1);
  if (event.key !== 'Escape') return;
  event.preventDefault();
  if (byId('query').value) search('');
  else page.panes[0].graph.stage.focus();
}

function listen() {
  let waiting;
  const soon = (act, ms) => { clearTimeout(waiting); waiting = setTimeout(act, ms); };
  for (const button of document.querySelectorAll('[data-command]')) {
    button.addEventListener('click', () => COMMANDS[/** @type {HTMLElement} */ (button).dataset.command ?? '']());
  }
  byId('clear').onclick = () => search('');
  byId('view-sandwich').onclick = () => change({ view: 'sandwich', pick: page.state.pick || pickOf() });
  for (const key of ['icicle', 'merge', 'swap']) byId(key).onchange = () => change({ [key]: byId(key).checked });
  for (const key of ['color', 'order']) byId(key).onchange = () => change({ [key]: byId(key).value });
  byId('query').oninput = () => soon(() => search(byId('query').value), 60);
  byId('query').onkeydown = onQueryKey;
  document.onkeydown = onKey;
  document.addEventListener('pointerdown', onOutside);
  addEventListener('popstate', async (event) => { recall(event.state); await refreshTrees(); await render(); });
  addEventListener('resize', () => soon(() => render(), 80));
  listenToMinimap(byId('minimap'), () => seenOf(page.panes[0].tree, page.panes[0].zoom, page.state.span), brush);
  listenToPrinting(() => render());
}

/** The function that a sandwich begins with: the chosen one, else the one that is the leaf most often. */
function pickOf() {
  const [{ base, tree, graph, zoom }] = page.panes;
  if (page.table.chosen >= 0) return base.names[base.firstLabel[page.table.chosen]];
  const node = graph.selected || zoom;
  if (node) return tree.names[tree.label[node]];
  let best = 0;
  for (let i = 1; i < tree.n; i++) if (!best || tree.self[i] > tree.self[best]) best = i;
  return tree.names[tree.label[best]];
}

async function brush(span) {
  page.panes[0].zoom = 0;
  page.state = { ...page.state, path: '' };
  await lookAt(span);
}

function onOutside(event) {
  if (!event.target.closest?.('#kf-menu')) closeMenu();
  for (const open of document.querySelectorAll('details.menu[open], details.details[open]')) if (!open.contains(event.target)) open.removeAttribute('open');
}

/** @param {number} at which profile @param {string} prefix of the elements that hold it */
async function adopt(at, prefix) {
  const meta = at ? page.options.second : page.options[prefix] ?? page.options;
  const packed = { columns: textOf(`${prefix}columns`), labels: textOf(`${prefix}labels`) || textOf('labels'), samples: textOf(`${prefix}samples`), meta };
  const { tree, samples } = await load(packed);
  Object.assign(page.panes[at], { base: tree, tree, samples, derived: '' });
}

const domReady = () => new Promise((resolve) => {
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', resolve, { once: true });
  else resolve(undefined);
});

/** Draws the overview first if there is one: the whole tree takes longer to read. */
async function start() {
  page.options = JSON.parse(textOf('options'));
  page.fresh = freshState(page.options);
  setNarrowest(page.options.narrow);
  followTheme(page.options.theme, (theme) => { setTheme(theme); if (page.panes[0]?.tree) render(); });
  addPane(byId('graph'), '', 'Flame graph');
  page.callers = addHalf('callers', 'callers-', 'Callers');
  page.callees = addHalf('callees', 'callees-', 'Callees');
  addTable();
  startPlotly(new TextDecoder().decode(await inflate(textOf('plotly'))));
  if (page.options.overview) {
    await adopt(0, 'overview');
    page.state = page.fresh;
    await refreshTrees();
    await render(false);
    document.documentElement.dataset.overview = 'true';
    await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
  }
  await domReady();
  await adopt(0, '');
  if (page.options.second) {
    addPane(byId('second'), 'second-', 'Second flame graph');
    await adopt(1, 'second-');
  }
  recall(null);
  const [{ samples }] = page.panes;
  if (samples) buildEvents(samples, (event) => change({ event }));
  if (samples) buildFilters(samples, keepOnly);
  if (samples) startHeatmap(samples, page, keepOnly);
  listen();
  await refreshTrees();
  await render(false);
  document.documentElement.dataset.ready = 'true';
  announce(textOf('path'));
}

function keepOnly(facet, values) {
  const { [facet]: _, ...rest } = page.state.keep;
  return change({ keep: values ? { ...rest, [facet]: values } : rest });
}

/** For tests, and for the curious: to read, not to change. */
function expose() {
  const first = () => page.panes[0];
  /** @type {any} */ (window).kflame = Object.freeze({
    get state() { return { ...page.state, zoom: first().zoom, width: first().graph.width, rows: first().graph.rows.length, drawn: first().graph.drawn }; },
    get tree() { return first().tree; },
    get found() { return page.found; },
    get panes() { return page.panes; },
    zoomTo: goTo, remember, takePicture, functionNamed,
    boxOf: (node, at = 0) => page.panes[at].graph.boxOf(node),
    rowTop: (node, at = 0) => page.panes[at].graph.rowTop(node),
  });
}

if (typeof document === 'undefined') serve();
else {
  expose();
  start();
}
