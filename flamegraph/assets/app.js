import { announce, byId, copyName, showLegend, showMatches, showPath } from './chrome.js';
import { colorsOf } from './colors.js';
import { decodeTree, inflate } from './decode.js';
import { ROW, characterWidth, drawView, startPlotly } from './draw.js';
import { oneLine } from './format.js';
import { actionOf, neighbour } from './keys.js';
import { boxOf, layoutRows, narrowMatches } from './layout.js';
import { fromHash, nodeAt, pathOf, toHash, writeHash } from './route.js';
import { compileQuery, matchedWeight } from './search.js';
import { describeFiller, describeNode, placeTip, spokenNode } from './tip.js';
import { boxUnder, lineOf, placeOutline, rowsNear } from './view.js';

const options = JSON.parse(byId('options').textContent);
const state = { zoom: 0, selected: 0, icicle: options.icicle, color: options.color, theme: 'light', query: null };
const stage = byId('stage');
/** @type {import('./decode.js').Tree} */
let tree;
let rows = [];
let hidden = [];
let drawn = { first: 0, last: 0 };
let found = { weight: 0, nodes: [] };
let foundAt = -1;
let hovered = 0;
let character = 7.2;
let drawing = null;
let redraw = false;

const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const systemTheme = () => (darkSystem.matches ? 'dark' : 'light');
const width = () => Math.max(stage.clientWidth, 50);

/** Lays the view out anew and draws it; `keep` says which edge of the graph keeps its place on the screen. */
async function render(keep = true) {
  const fromRoots = stage.scrollHeight - stage.scrollTop;
  rows = layoutRows(tree, state.zoom, width());
  stage.classList.toggle('flame', !state.icicle);
  byId('canvas').style.height = `${rows.length * ROW}px`;
  if (!state.icicle) stage.scrollTop = stage.scrollHeight - (keep ? fromRoots : 0);
  else if (!keep) stage.scrollTop = 0;
  hidden = state.query ? narrowMatches(tree, state.zoom, width(), state.query.matches) : [];
  found = state.query ? matchedWeight(tree, state.zoom, state.query.matches) : { weight: 0, nodes: [] };
  showPath(tree, state.zoom, options.unit, (node) => zoomTo(node));
  showMatches(tree, state.zoom, state.query, found);
  showLegend(colorsOf(tree, state.color, state.theme).legend);
  byId('reset').disabled = state.zoom === 0;
  byId('icicle').setAttribute('aria-pressed', String(state.icicle));
  byId('color').value = state.color;
  await draw();
}

const near = () => rowsNear(stage.scrollTop - byId('canvas').offsetTop, stage.clientHeight, rows.length, state.icicle);
const line = (node) => lineOf(tree.depth[node], rows.length, state.icicle);

/** Draws the rows near the screen; asked while it is drawing, it draws once more at the end. */
async function draw() {
  redraw = true;
  drawing ??= (async () => {
    while (redraw) {
      redraw = false;
      drawn = near();
      const colors = colorsOf(tree, state.color, state.theme);
      byId('plot').style.top = `${(state.icicle ? drawn.first : rows.length - drawn.last) * ROW}px`;
      const matches = state.query && state.query.matches;
      const view = { ...state, ...drawn, tree, rows, hidden, colors, matches, character, width: width() };
      await drawView(byId('plot'), view);
    }
    drawing = null;
    mark('chosen', state.selected && state.selected !== state.zoom ? state.selected : -1);
    mark('hovered', -1);
  })();
  await drawing;
}

function onScroll() {
  onLeave();
  const { first, last } = near();
  const halfScreen = stage.clientHeight / ROW / 2;
  const moved = Math.abs(first - drawn.first) > halfScreen || Math.abs(last - drawn.last) > halfScreen;
  if (moved && !drawing) draw();
}

/** Frames a node with one of the two outlines; -1 hides it. */
function mark(id, node) {
  const box = node < 0 ? null : boxOf(tree, rows, node);
  byId(id).hidden = !box;
  if (box) placeOutline(byId(id), box, line(node));
}

function onMove(event) {
  const box = boxUnder(event, byId('canvas'), rows, state.icicle);
  const tip = byId('tip');
  tip.hidden = byId('hovered').hidden = !box;
  hovered = box && box.node > 0 ? box.node : 0;
  if (!box) return;
  placeOutline(byId('hovered'), box, lineOf(box.depth, rows.length, state.icicle));
  tip.replaceChildren(...(box.node < 0 ? describeFiller(-box.node) : describeNode(tree, box.node, state.zoom, options.unit)));
  placeTip(tip, event.clientX, event.clientY);
}

function onLeave() {
  hovered = 0;
  byId('tip').hidden = byId('hovered').hidden = true;
}

function remember(newEntry) {
  const icicle = state.icicle === options.icicle ? '' : String(Number(state.icicle));
  const color = state.color === options.color ? '' : state.color;
  const route = { path: pathOf(tree, state.zoom), query: state.query ? state.query.text : '', icicle, color };
  writeHash(toHash(route), newEntry, { zoom: state.zoom });
}

/** Takes the view from the address bar. */
function recall(saved) {
  const route = fromHash(location.hash);
  // A path too long for an address is only in the history entry.
  const zoom = route.path === undefined && saved ? saved.zoom : nodeAt(tree, route.path);
  state.zoom = state.selected = Math.min(zoom || 0, tree.n - 1);
  state.icicle = route.icicle === undefined ? options.icicle : route.icicle === '1';
  state.color = Object.hasOwn(tree.schemes, route.color || '') ? route.color : options.color;
  byId('query').value = route.query || '';
  state.query = compileQuery(byId('query').value, tree.names);
}

async function zoomTo(node) {
  if (!Number.isInteger(node) || node < 0 || node >= tree.n) return;
  const changed = node !== state.zoom;
  state.zoom = state.selected = node;
  foundAt = -1;
  onLeave();
  if (changed) remember(true);
  await render();
  if (changed) announce(spokenNode(tree, node));
}

async function search(text) {
  state.query = compileQuery(text, tree.names);
  foundAt = -1;
  remember(false);
  await render();
  if (state.query) announce(byId('matched').textContent);
}

function clearSearch() {
  byId('query').value = '';
  return search('');
}

function select(node) {
  state.selected = node;
  const top = line(node) * ROW + byId('canvas').offsetTop;
  if (top < stage.scrollTop || top + ROW > stage.scrollTop + stage.clientHeight) stage.scrollTop = top - stage.clientHeight / 2;
  mark('chosen', node);
  announce(spokenNode(tree, node));
}

/** Goes to the next match that is wide enough to be drawn, in preorder. */
function step(by) {
  const shown = found.nodes.filter((node) => boxOf(tree, rows, node));
  if (!shown.length) return;
  foundAt = (foundAt + by + shown.length + (foundAt < 0 && by < 0 ? 1 : 0)) % shown.length;
  select(shown[foundAt]);
}

function setTheme(theme) {
  state.theme = theme;
  document.documentElement.dataset.theme = theme;
}

/** What keys and buttons do; the names are those of keys.js. */
const actions = {
  zoom: () => zoomTo(state.selected),
  reset: () => zoomTo(0),
  up: () => zoomTo(Math.max(0, tree.parent[state.zoom])),
  search: () => byId('query').focus(),
  copy: () => copyName(tree.names[tree.label[hovered || state.selected || state.zoom]]),
  help: () => (byId('help').open ? byId('help').close() : byId('help').showModal()),
  icicle: () => { state.icicle = !state.icicle; remember(false); onLeave(); return render(false); },
  theme: () => { setTheme(state.theme === 'dark' ? 'light' : 'dark'); return render(); },
  color: () => { state.color = state.color === 'kind' ? 'module' : 'kind'; remember(false); return render(); },
  next: () => step(1),
  previous: () => step(-1),
};

function onKey(event) {
  const action = actionOf(event, state.icicle);
  if (byId('help').open && action !== 'help') return;
  const typing = event.target.matches?.('input, select');
  const pressing = event.target.matches?.('button, summary') && action === 'zoom';
  if (!action || typing || pressing) return;
  event.preventDefault();
  if (actions[action]) actions[action]();
  else select(neighbour(tree, state.selected, action));
}

function onQueryKey(event) {
  if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
  if (event.key !== 'Escape') return;
  event.preventDefault();
  if (byId('query').value) clearSearch();
  else stage.focus();
}

function listen() {
  let waiting;
  const soon = (act, ms) => { clearTimeout(waiting); waiting = setTimeout(act, ms); };
  for (const id of ['reset', 'icicle', 'theme', 'help-open', 'next', 'previous']) {
    byId(id).onclick = () => actions[id === 'help-open' ? 'help' : id]();
  }
  byId('clear').onclick = clearSearch;
  byId('color').onchange = () => { state.color = byId('color').value; remember(false); render(); };
  byId('query').oninput = () => soon(() => search(byId('query').value), 60);
  byId('query').onkeydown = onQueryKey;
  byId('canvas').onclick = (event) => {
    const box = boxUnder(event, byId('canvas'), rows, state.icicle);
    if (box && box.node >= 0) zoomTo(box.node);
  };
  stage.onmousemove = onMove;
  stage.onmouseleave = onLeave;
  stage.onscroll = onScroll;
  document.onkeydown = onKey;
  addEventListener('popstate', (event) => { recall(event.state); render(); });
  addEventListener('resize', () => soon(() => render(), 80));
  if (options.theme === 'auto') darkSystem.onchange = () => { setTheme(systemTheme()); render(); };
}

async function start() {
  setTheme(options.theme === 'auto' ? systemTheme() : options.theme);
  const packed = ['columns', 'labels', 'plotly'].map((id) => inflate(byId(id).textContent));
  const [columns, labels, plotly] = await Promise.all(packed);
  const text = new TextDecoder();
  startPlotly(text.decode(plotly));
  tree = decodeTree(columns, options.tree, JSON.parse(text.decode(labels)));
  character = characterWidth();
  recall(null);
  listen();
  await render(false);
  document.documentElement.dataset.ready = 'true';
}

/** For tests, and for the curious: to read, not to change. */
window.kflame = Object.freeze({
  get state() { return { ...state, width: width(), rows: rows.length, drawn }; },
  get tree() { return tree; },
  get found() { return found; },
  zoomTo,
  boxOf: (node) => boxOf(tree, rows, node),
  rowTop: (node) => byId('canvas').getBoundingClientRect().top + line(node) * ROW,
});
start();
