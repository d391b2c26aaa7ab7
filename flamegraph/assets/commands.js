// What keys, buttons and menus do.
import { announce, byId, copyName } from './chrome.js';
import { isWhole, zoomSpan } from './gestures.js';
import { WHOLE } from './layout.js';
import { neighbour } from './keys.js';
import { openMenu } from './menu.js';
import { change, functionNamed, goTo, lookAt, page, render } from './page.js';
import { savePicture } from './picture.js';
import { LONGEST_PATTERN, escapePattern } from './search.js';
import { rememberTheme } from './theme.js';
import { spokenNode } from './tip.js';

const nameOf = (node) => page.panes[0].tree.names[page.panes[0].tree.label[node]];
const target = () => page.hovered || page.panes[0].graph.selected || page.panes[0].zoom;

/** @param {string} text */
export async function search(text) {
  byId('query').value = text;
  await change({ query: text }, false);
  if (page.query) announce(byId('matched').textContent ?? '');
}

/** @param {string} name of a function */
export function searchName(name) {
  const whole = name.length <= LONGEST_PATTERN;
  return search(`^${escapePattern(name.slice(0, LONGEST_PATTERN))}${whole ? '$' : ''}`);
}

/** @param {string} name of a function */
export function sandwich(name) {
  return change({ view: 'sandwich', pick: name });
}

/** @param {string} theme */
export function setTheme(theme) {
  page.theme = theme;
  document.documentElement.dataset.theme = theme;
}

/** Goes to the next match that is wide enough to be drawn, in preorder. @param {number} by */
export function stepMatch(by) {
  const { graph } = page.panes[0];
  const shown = page.found.nodes.filter((node) => graph.boxOf(node));
  if (!shown.length) return;
  page.foundAt = (page.foundAt + by + shown.length + (page.foundAt < 0 && by < 0 ? 1 : 0)) % shown.length;
  select(shown[page.foundAt]);
}

/** @param {number} node */
function select(node) {
  const [{ graph, tree }] = page.panes;
  graph.select(node);
  if (page.state.view === 'table') page.table.mark(tree.functionOf[tree.label[node]], true);
  announce(spokenNode(tree, node));
}

/** Hides, collapses or keeps a function. @param {string} key @param {string} name */
function edit(key, name) {
  const { state } = page;
  if (key === 'focus') return change({ focus: name, path: '', span: WHOLE });
  return change({ [key]: [...new Set([...state[key], name])] });
}

/** @param {string} name @param {MouseEvent | {clientX: number, clientY: number}} event @param {() => void} [zoom] */
export function frameMenu(name, event, zoom) {
  openMenu(name, [
    ...(zoom ? [/** @type {[string, string, () => void]} */ (['Zoom to it', 'Enter', zoom])] : []),
    ['Callers and callees', 's', () => sandwich(name)],
    ['Find everywhere', 'e', () => searchName(name)],
    ['Only stacks with it', 'f', () => edit('focus', name)],
    ['Collapse what it calls', 'k', () => edit('collapse', name)],
    ['Hide its frames', 'h', () => edit('hide', name)],
    ['Copy the name', 'c', () => copyName(name)],
  ], { x: event.clientX, y: event.clientY });
}

function menuHere() {
  const node = target();
  const { graph } = page.panes[0];
  const box = graph.boxOf(node);
  if (!node || !box) return;
  const left = graph.canvas.getBoundingClientRect().left + box.left + 8;
  frameMenu(nameOf(node), { clientX: left, clientY: graph.rowTop(node) + 18 }, () => goTo(node));
}

const onFrame = (act) => () => { if (target()) act(nameOf(target())); };
const nextOf = (list, now) => list[(list.indexOf(now) + 1) % list.length];
const colorNames = () => [...byId('color').querySelectorAll('option')].map((option) => option.value);

/** The names are those of keys.js. @type {Object<string, () => unknown>} */
export const COMMANDS = {
  zoom: () => goTo(page.panes[0].graph.selected),
  reset: () => goTo(0),
  up: () => goTo(Math.max(0, page.panes[0].tree.parent[page.panes[0].zoom])),
  wider: () => lookAt(zoomSpan(page.state.span, 0.5, 0.7)),
  narrower: () => lookAt(zoomSpan(page.state.span, 0.5, 1 / 0.7)),
  search: () => byId('query').focus(),
  copy: onFrame(copyName),
  sandwich: onFrame(sandwich),
  everywhere: onFrame(searchName),
  focus: onFrame((name) => edit('focus', name)),
  collapse: onFrame((name) => edit('collapse', name)),
  hide: onFrame((name) => edit('hide', name)),
  menu: menuHere,
  undo: () => change({ hide: [], collapse: [], focus: '', merge: false, swap: false, keep: {} }),
  help: () => (byId('help').open ? byId('help').close() : byId('help').showModal()),
  table: () => change({ view: page.state.view === 'table' ? 'graph' : 'table' }),
  graph: () => change({ view: 'graph' }),
  icicle: () => change({ icicle: !page.state.icicle }, false),
  order: () => change({ order: page.state.order === 'heavy' ? 'name' : 'heavy' }),
  merge: () => change({ merge: !page.state.merge }),
  swap: () => change({ swap: !page.state.swap }),
  theme: () => { setTheme(page.theme === 'dark' ? 'light' : 'dark'); rememberTheme(page.theme); return render(); },
  event: () => { const names = [...byId('event').options].map((option) => option.value); return names.length && change({ event: nextOf(names, page.state.event) }); },
  color: () => change({ color: nextOf(colorNames(), page.state.color) }, false),
  next: () => stepMatch(1),
  previous: () => stepMatch(-1),
  svg: () => savePicture('svg'),
  png: () => savePicture('png'),
};

/** @param {string} direction of keys.js */
export function moveTo(direction) {
  const [{ graph, tree }] = page.panes;
  select(neighbour(tree, graph.selected, direction));
}

/** What Escape undoes first. */
export function stepOut() {
  if (page.state.view === 'sandwich') return change({ view: functionNamed(page.state.pick) < 0 ? 'graph' : 'table' });
  if (page.panes[0].zoom || !isWhole(page.state.span)) return goTo(0);
  if (page.state.view === 'table') return change({ view: 'graph' });
  return page.state.query ? search('') : goTo(0);
}
