import { announce, byId, copyText, showLegend, showMatches, showPath } from './chrome.js';
import { colorsOf } from './colors.js';
import { decodeTree, inflate } from './decode.js';
import { ROW, characterWidth, drawView } from './draw.js';
import { formatShare, oneLine } from './format.js';
import { actionOf, neighbour } from './keys.js';
import { boxAt, boxOf, layoutRows } from './layout.js';
import { fromHash, nodeAt, pathOf, toHash, writeHash } from './route.js';
import { compileQuery, matchedWeight } from './search.js';
import { describeFiller, describeNode, placeTip } from './tip.js';

const options = JSON.parse(byId('options').textContent);
const state = { zoom: 0, selected: 0, icicle: options.icicle, color: options.color, theme: 'light', query: null };
const stage = byId('stage');
/** @type {import('./decode.js').Tree} */
let tree;
let rows = [];
let drawn = { first: 0, last: 0 };
let found = { weight: 0, nodes: [] };
let foundAt = -1;
let hovered = 0;
let character = 7.2;
let drawing = null;
let redraw = false;

const width = () => Math.max(stage.clientWidth, 50);

/** Lays the view out anew and draws it; `keep` says which edge of the graph keeps its place on the screen. */
async function render(keep = true) {
  const fromRoots = stage.scrollHeight - stage.scrollTop;
  rows = layoutRows(tree, state.zoom, width());
  stage.classList.toggle('flame', !state.icicle);
  byId('canvas').style.height = `${rows.length * ROW}px`;
  if (!state.icicle) stage.scrollTop = stage.scrollHeight - (keep ? fromRoots : 0);
  else if (!keep) stage.scrollTop = 0;
  found = state.query ? matchedWeight(tree, state.zoom, state.query.matches) : { weight: 0, nodes: [] };
  showPath(tree, state.zoom, options.unit, (node) => zoomTo(node));
  showMatches(tree, state.zoom, state.query, found);
  showLegend(colorsOf(tree, state.color, state.theme).legend);
  byId('reset').disabled = state.zoom === 0;
  byId('icicle').setAttribute('aria-pressed', String(state.icicle));
  byId('color').value = state.color;
  await draw();
}

/** Rows to draw: those on the screen and one screen more on both sides, as a stack may be 60,000 deep. */
function rowsNear() {
  const top = stage.scrollTop - byId('canvas').offsetTop;
  const screen = Math.ceil(stage.clientHeight / ROW);
  const nearest = Math.floor(Math.max(0, top) / ROW);
  const first = state.icicle ? nearest - screen : rows.length - nearest - 2 * screen;
  return { first: Math.max(0, Math.min(first, rows.length - 1)), last: Math.max(1, Math.min(first + 3 * screen, rows.length)) };
}

/** Draws the rows near the screen; asked while it is drawing, it draws once more at the end. */
async function draw() {
  redraw = true;
  drawing ??= (async () => {
    while (redraw) {
      redraw = false;
      drawn = rowsNear();
      const colors = colorsOf(tree, state.color, state.theme);
      byId('plot').style.top = `${(state.icicle ? drawn.first : rows.length - drawn.last) * ROW}px`;
      const matches = state.query && state.query.matches;
      const view = { ...state, ...drawn, tree, rows, colors, matches, character, width: width() };
      await drawView(byId('plot'), view);
    }
    drawing = null;
    mark('chosen', state.selected && state.selected !== state.zoom ? state.selected : -1);
    mark('hovered', -1);
  })();
  await drawing;
}

function onScroll() {
  const near = rowsNear();
  const screen = Math.ceil(stage.clientHeight / ROW);
  const moved = Math.abs(near.first - drawn.first) > screen / 2 || Math.abs(near.last - drawn.last) > screen / 2;
  if (moved && !drawing) draw();
}

/** Frames a node with one of the two outlines; -1 hides it. */
function mark(id, node) {
  const box = node < 0 ? null : boxOf(tree, rows, node);
  byId(id).hidden = !box;
  if (box) place(byId(id), box.left, box.width, tree.depth[node]);
}

function place(outline, left, boxWidth, depth) {
  const top = (state.icicle ? depth : rows.length - 1 - depth) * ROW;
  Object.assign(outline.style, { left: `${left}px`, width: `${Math.max(boxWidth - 1, 2)}px`, top: `${top}px`, height: `${ROW}px` });
}

function hit(event) {
  const ground = byId('canvas').getBoundingClientRect();
  const line = Math.floor((event.clientY - ground.top) / ROW);
  const depth = state.icicle ? line : rows.length - 1 - line;
  const at = rows[depth] ? boxAt(rows[depth], event.clientX - ground.left) : -1;
  return at < 0 ? null : { node: rows[depth][at], left: rows[depth][at + 1], width: rows[depth][at + 2], depth };
}

function onMove(event) {
  const box = hit(event);
  const tip = byId('tip');
  tip.hidden = byId('hovered').hidden = !box;
  hovered = box && box.node > 0 ? box.node : 0;
  if (!box) return;
  place(byId('hovered'), box.left, box.width, box.depth);
  tip.replaceChildren(...(box.node < 0 ? describeFiller(-box.node) : describeNode(tree, box.node, state.zoom, options.unit)));
  placeTip(tip, event.clientX, event.clientY);
}

function onLeave() {
  hovered = 0;
  byId('tip').hidden = byId('hovered').hidden = true;
}

function remember(newEntry) {
  const route = { path: pathOf(tree, state.zoom), query: state.query ? state.query.text : '' };
  route.icicle = state.icicle === options.icicle ? '' : String(Number(state.icicle));
  route.color = state.color === options.color ? '' : state.color;
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
  if (changed) announce(spoken(node));
}

function spoken(node) {
  const name = oneLine(tree.names[tree.label[node]]);
  return `${name}, ${formatShare(tree.total[node], tree.total[0])} of all, depth ${tree.depth[node]}`;
}

async function search(text) {
  state.query = compileQuery(text, tree.names);
  foundAt = -1;
  remember(false);
  await render();
  if (state.query) announce(byId('matched').textContent);
}

function select(node) {
  state.selected = node;
  const line = state.icicle ? tree.depth[node] : rows.length - 1 - tree.depth[node];
  const top = line * ROW + byId('canvas').offsetTop;
  if (top < stage.scrollTop || top + ROW > stage.scrollTop + stage.clientHeight) stage.scrollTop = top - stage.clientHeight / 2;
  mark('chosen', node);
  announce(spoken(node));
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

async function copyName() {
  const node = hovered || state.selected || state.zoom;
  const name = tree.names[tree.label[node]];
  announce((await copyText(name)) ? `copied ${oneLine(name)}` : 'the browser does not let this page copy', true);
}

const actions = {
  zoom: () => zoomTo(state.selected),
  reset: () => zoomTo(0),
  up: () => zoomTo(Math.max(0, tree.parent[state.zoom])),
  search: () => byId('query').focus(),
  copy: copyName,
  help: () => (byId('help').open ? byId('help').close() : byId('help').showModal()),
  icicle: () => { state.icicle = !state.icicle; remember(false); onLeave(); return render(false); },
  theme: () => { setTheme(state.theme === 'dark' ? 'light' : 'dark'); return render(); },
  color: () => { state.color = state.color === 'kind' ? 'module' : 'kind'; remember(false); return render(); },
  next: () => step(1),
  previous: () => step(-1),
};

function onKey(event) {
  const action = actionOf(event, state.icicle);
  const target = event.target;
  if (byId('help').open && action !== 'help') return;
  const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  const pressing = target instanceof HTMLButtonElement && action === 'zoom';
  if (!action || typing || pressing) return;
  event.preventDefault();
  if (actions[action]) actions[action]();
  else select(neighbour(tree, state.selected, action));
}

function onQueryKey(event) {
  if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
  if (event.key !== 'Escape') return;
  event.preventDefault();
  if (byId('query').value) {
    byId('query').value = '';
    search('');
  } else stage.focus();
}

function listen() {
  let waiting;
  const soon = (act, ms) => { clearTimeout(waiting); waiting = setTimeout(act, ms); };
  for (const id of ['reset', 'icicle', 'theme', 'help-open', 'next', 'previous']) {
    byId(id).onclick = () => actions[id === 'help-open' ? 'help' : id]();
  }
  byId('clear').onclick = () => { byId('query').value = ''; search(''); };
  byId('color').onchange = () => { state.color = byId('color').value; remember(false); render(); };
  byId('query').oninput = () => soon(() => search(byId('query').value), 60);
  byId('query').onkeydown = onQueryKey;
  byId('canvas').onclick = (event) => { const box = hit(event); if (box && box.node >= 0) zoomTo(box.node); };
  stage.onmousemove = onMove;
  stage.onmouseleave = onLeave;
  stage.onscroll = onScroll;
  document.onkeydown = onKey;
  addEventListener('popstate', (event) => { recall(event.state); render(); });
  addEventListener('resize', () => soon(() => render(), 80));
  if (options.theme === 'auto') {
    matchMedia('(prefers-color-scheme: dark)').onchange = (event) => { setTheme(event.matches ? 'dark' : 'light'); render(); };
  }
}

async function startPlotly() {
  const source = new TextDecoder().decode(await inflate(byId('plotly').textContent));
  const script = document.createElement('script');
  script.textContent = source;
  document.head.append(script);
}

async function start() {
  const dark = options.theme === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : options.theme === 'dark';
  setTheme(dark ? 'dark' : 'light');
  const packed = [inflate(byId('columns').textContent), inflate(byId('labels').textContent), startPlotly()];
  const [columns, labels] = await Promise.all(packed);
  tree = decodeTree(columns, options.tree, JSON.parse(new TextDecoder().decode(labels)));
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
  get rows() { return rows; },
  get found() { return found; },
  zoomTo,
  boxOf: (node) => boxOf(tree, rows, node),
  rowTop: (node) => byId('canvas').getBoundingClientRect().top + (state.icicle ? tree.depth[node] : rows.length - 1 - tree.depth[node]) * ROW,
});
start();
