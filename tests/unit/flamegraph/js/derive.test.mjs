import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookOf } from '../../../../flamegraph/assets/decode.js';
import { calleesOf, callersOf, derive, nameRank } from '../../../../flamegraph/assets/derive.js';
import { functionRows, sortRows } from '../../../../flamegraph/assets/functions.js';
import { isWhole, panSpan, zoomSpan } from '../../../../flamegraph/assets/gestures.js';
import { boxesOf, cellsOf, moved, partText, readPart, sayPart } from '../../../../flamegraph/assets/moments.js';
import { WHOLE, layoutRows } from '../../../../flamegraph/assets/layout.js';
import { compileQuery, escapePattern } from '../../../../flamegraph/assets/search.js';
import { inPreorder } from '../../../../flamegraph/assets/shape.js';
import { freshState, routeOf, settingsOf, stateFrom } from '../../../../flamegraph/assets/state.js';

/** A tree of stacks, made with the module under test and checked by folding it again. */
function treeOf(stacks) {
  const names = [...new Set(['all', ...Object.keys(stacks).flatMap((stack) => stack.split(';'))])];
  const book = bookOf({ name: names, source: [], modules: [''], module: names.map(() => 0), schemes: {} });
  const [parent, label, self] = [[-1], [0], [0]];
  for (const [stack, weight] of Object.entries(stacks)) {
    let at = 0;
    for (const name of stack.split(';')) {
      const wanted = names.indexOf(name);
      let next = parent.findIndex((above, i) => above === at && label[i] === wanted);
      if (next < 0) { next = parent.push(at) - 1; label.push(wanted); self.push(0); }
      at = next;
    }
    self[at] += weight;
  }
  const loose = { parent: Int32Array.from(parent), label: Uint32Array.from(label), self: Uint32Array.from(self) };
  return { ...book, ...inPreorder(loose, nameRank(names), 'name') };
}

function folded(tree) {
  const out = {};
  for (let i = 0; i < tree.n; i++) {
    if (!tree.self[i]) continue;
    const path = [];
    for (let at = i; at > 0; at = tree.parent[at]) path.unshift(tree.names[tree.label[at]]);
    out[path.join(';')] = (out[path.join(';')] ?? 0) + tree.self[i];
  }
  return out;
}

const STACKS = { 'a;b;c': 3, 'a;b': 2, 'a;c;b': 4, 'd;a;a;b': 5, d: 1 };
const tree = treeOf(STACKS);
const idOf = (name) => tree.functionOf[tree.names.indexOf(name)];
const derived = (settings) => ({ ...tree, ...derive(tree, settings, null) });

function consistent(made) {
  for (let i = 1; i < made.n; i++) {
    assert.equal(made.depth[i], made.depth[made.parent[i]] + 1);
    assert.ok(i < made.parent[i] + made.size[made.parent[i]]);
  }
  const sum = [...made.self].reduce((all, weight) => all + weight, 0);
  assert.equal(made.total[0], sum);
}

test('a tree made of stacks folds back to them', () => {
  assert.deepEqual(folded(tree), STACKS);
  consistent(tree);
  assert.equal(derive(tree, {}, null), tree);
});

test('hiding, collapsing, focusing and merging', () => {
  assert.deepEqual(folded(derived({ hide: [idOf('b')] })), { 'a;c': 7, a: 2, 'd;a;a': 5, d: 1 });
  assert.deepEqual(folded(derived({ collapse: [idOf('a')] })), { a: 9, 'd;a': 5, d: 1 });
  assert.deepEqual(folded(derived({ focus: [idOf('b')] })), { 'b;c': 3, b: 11 });
  assert.deepEqual(folded(derived({ merge: true })), { 'a;b;c': 3, 'a;b': 2, 'a;c;b': 4, 'd;a;b': 5, d: 1 });
  for (const settings of [{ hide: [idOf('a')] }, { merge: true }, { focus: [idOf('c')] }]) consistent(derived(settings));
});

test('indirect recursion goes on where the function was first', () => {
  const loop = treeOf({ 'a;b;a;b;c': 1, 'a;b;a;c;b': 2 });
  assert.deepEqual(folded({ ...loop, ...derive(loop, { merge: true }, null) }), { 'a;b;c': 1, 'a;c;b': 2 });
});

test('heavy order puts the heaviest child first and changes nothing else', () => {
  const made = derived({ order: 'heavy' });
  assert.deepEqual(folded(made), STACKS);
  assert.equal(made.names[made.label[1]], 'a');
  assert.equal(made.names[made.label[2]], 'b');
  consistent(made);
});

test('facets keep the samples that all of them keep', () => {
  const node = Uint32Array.from([1, 1, 2]);
  const small = treeOf({ a: 5, 'a;b': 4 });
  const samples = { node, weight: Uint32Array.from([2, 3, 4]), value: [Uint32Array.from([0, 1, 1]), Uint32Array.from([0, 0, 1])],
    facets: [{ name: 'x', values: ['0', '1'] }, { name: 'y', values: ['0', '1'] }] };
  const keep = (values) => folded({ ...small, ...derive(small, { keep: values }, samples) });
  assert.deepEqual(keep([[1], null]), { a: 3, 'a;b': 4 });
  assert.deepEqual(keep([[1], [1]]), { 'a;b': 4 });
  assert.deepEqual(keep([[], null]), {});
});

test('swapping shows the other profile', () => {
  const loose = { parent: tree.parent, label: tree.label, self: tree.self, otherSelf: tree.self.map((weight) => (weight ? 1 : 0)) };
  const pair = { ...tree, ...inPreorder(loose, nameRank(tree.names), 'name') };
  const made = { ...pair, ...derive(pair, { swap: true }, null) };
  assert.deepEqual([...new Set(Object.values(folded(made)))], [1]);
  assert.equal(made.other[0], 15);
});

test('callers and callees of a function, recursion counted once', () => {
  const callees = calleesOf(tree, idOf('a'));
  assert.equal(callees.names[callees.label[0]], 'a');
  assert.deepEqual(folded(callees), { 'b;c': 3, b: 2, 'c;b': 4, 'a;b': 5 });
  const callers = callersOf(tree, idOf('b'));
  assert.equal(callers.total[0], 14);
  assert.deepEqual(folded(callers), { a: 5, 'c;a': 4, 'a;a;d': 5 });
});

test('function weights count a stack once', () => {
  const rows = sortRows(functionRows(tree, 0), 'total', false);
  assert.deepEqual(rows.map(({ name, self, total }) => [name, self, total]), [['a', 0, 14], ['b', 11, 14], ['c', 3, 7], ['d', 1, 6]]);
  assert.equal(sortRows(rows, 'name', false)[0].name, 'd');
  const zoomed = functionRows(tree, 1);
  assert.deepEqual(zoomed.find(({ name }) => name === 'a').total, 9);
});

test('spans stay within the frame and around the point', () => {
  const near = zoomSpan(WHOLE, 0.25, 0.5);
  assert.deepEqual(near, [0.125, 0.625]);
  assert.deepEqual(zoomSpan(near, 0.25, 4), WHOLE);
  assert.deepEqual(panSpan([0.25, 0.5], -2), [0, 0.25]);
  assert.ok(isWhole(zoomSpan([0.2, 0.9], 1, 100)));
  const rows = layoutRows(tree, 0, 150, [0.5, 1]);
  for (const row of rows) for (let k = 0; k < row.length; k += 3) assert.ok(row[k + 1] >= 0 && row[k + 1] + row[k + 2] <= 150.001);
});

test('commas are or, but not within brackets or behind a backslash', () => {
  const names = ['foo', 'bar', 'f<int, char>', 'a,b'];
  const found = (text) => [...compileQuery(text, names).matches];
  assert.deepEqual(found('foo, bar'), [1, 1, 0, 0]);
  assert.deepEqual(found('f<int, char>'), [0, 0, 1, 0]);
  assert.deepEqual(found('o{2,3}'), [1, 0, 0, 0]);
  assert.deepEqual(found(`^${escapePattern('a,b')}$`), [0, 0, 0, 1]);
  assert.equal(compileQuery(`^${escapePattern('x'.repeat(100_000))}$`, names).literal, true);
});

test('a state goes into an address and comes back', () => {
  const fresh = freshState({ icicle: false, color: 'kind' });
  const state = { ...fresh, view: 'sandwich', path: 'a;b', span: [0.25, 0.5], icicle: true, order: 'heavy', merge: true,
    hide: ['x;y', 'z'], focus: 'f:g', keep: { thread: ['a:b', ';'] }, query: 'a&b', pick: 'p~' };
  const route = JSON.parse(JSON.stringify(routeOf(state, fresh)));
  assert.deepEqual(stateFrom(Object.fromEntries(Object.entries(route).filter(([, value]) => value)), fresh, ['kind']), state);
  assert.deepEqual(stateFrom({ view: 'x', span: '9-1', color: '__proto__' }, fresh, ['kind']), fresh);
  assert.deepEqual(settingsOf({ ...fresh, hide: ['b'] }, tree, null).hide, [idOf('b')]);
});

test('parts of the time are read carefully', () => {
  const heat = { rows: 4, columns: 5, seconds: 1 };
  const [span, box] = [{ from: 3, to: 9, box: false }, { from: 13, to: 6, box: true }];
  assert.deepEqual(readPart(partText({ from: 9, to: 3, box: false }), heat), span);
  assert.deepEqual(readPart(partText(box), heat), box);
  assert.deepEqual(readPart('3-99', heat), { from: 3, to: 19, box: false });
  for (const text of [undefined, '', 'x', '5-3', '-1-3', '1.5-2', '30-40', '3x20', '99x1', '1x2x3']) assert.equal(readPart(text, heat), null);
  assert.deepEqual(cellsOf(span, heat), [3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(cellsOf(box, heat), [5, 6, 9, 10, 13, 14]);
  for (const part of [span, box, { from: 5, to: 6, box: false }, { from: 0, to: 19, box: false }]) {
    const covered = boxesOf(part, heat).flatMap(([left, right, low, high]) => cellsOf({ from: left * 4 + low, to: right * 4 + high, box: true }, heat));
    assert.deepEqual(covered.sort((a, b) => a - b), cellsOf(part, heat));
  }
  assert.equal(sayPart(span, heat), '0.75 s to 2.50 s');
  assert.equal(sayPart(box, { ...heat, before: 10 }), '0.25 s to 0.75 s of each second, 11.00 s to 14.00 s');
});

test('parts of the time move as far as there is room', () => {
  const heat = { rows: 4, columns: 5, seconds: 1 };
  const span = { from: 3, to: 9, box: false };
  assert.deepEqual(moved(span, { columns: 1 }, heat), { from: 10, to: 16, box: false });
  assert.deepEqual(moved(span, { columns: -1 }, heat), { from: 0, to: 6, box: false });
  assert.deepEqual(moved(span, { longer: 9 }, heat), { from: 3, to: 19, box: false });
  assert.deepEqual(moved(span, { longer: -9 }, heat), { from: 3, to: 6, box: false });
  const box = { from: 5, to: 10, box: true };
  assert.deepEqual(cellsOf(moved(box, { rows: 1 }, heat), heat), [6, 7, 10, 11]);
  assert.deepEqual(cellsOf(moved(box, { columns: -1 }, heat), heat), [1, 2, 5, 6]);
  assert.equal(moved(box, { rows: 2 }, heat), box);
  assert.deepEqual(cellsOf(moved(box, { longer: 1 }, heat), heat), [5, 6, 9, 10, 13, 14]);
  assert.deepEqual(cellsOf(moved(box, { longer: -9 }, heat), heat), [5, 6]);
});
