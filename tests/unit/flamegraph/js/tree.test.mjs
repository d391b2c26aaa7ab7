import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { inflate, readVarints } from '../../../../flamegraph/assets/decode.js';
import { clip, formatShare, formatWeight, plotlyText } from '../../../../flamegraph/assets/format.js';
import { neighbour } from '../../../../flamegraph/assets/keys.js';
import { boxAt, boxOf, layoutRows, narrowMatches } from '../../../../flamegraph/assets/layout.js';
import { fromHash, nodeAt, pathOf, toHash } from '../../../../flamegraph/assets/route.js';
import { compileQuery, matchedWeight } from '../../../../flamegraph/assets/search.js';
import { rowsNear } from '../../../../flamegraph/assets/view.js';
import { sampleTree } from './sample.mjs';

const tree = sampleTree();

test('decoding restores totals, sizes and parents', () => {
  assert.deepEqual([...tree.total], [150, 100, 60, 20, 30, 50]);
  assert.deepEqual([...tree.size], [6, 4, 2, 1, 1, 1]);
  assert.deepEqual([...tree.parent], [-1, 0, 1, 2, 1, 0]);
});

test('varints beyond 32 bits are exact', () => {
  const into = new Float64Array(2);
  readVarints(new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 5]), 0, 2, into);
  assert.deepEqual([...into], [2 ** 35, 5]);
});

test('inflating undoes zlib and base64', async () => {
  const bytes = await inflate(deflateSync(Buffer.from('häm')).toString('base64'));
  assert.equal(new TextDecoder().decode(bytes), 'häm');
});

test('rows: children side by side, ancestors over the whole width', () => {
  assert.deepEqual(layoutRows(tree, 0, 150)[2], [2, 0, 60, 4, 60, 30]);
  const zoomed = layoutRows(tree, 2, 150);
  assert.deepEqual(zoomed.slice(0, 3), [[0, 0, 150], [1, 0, 150], [2, 0, 150]]);
  assert.deepEqual(zoomed[3], [3, 0, 50]);
  assert.equal(boxOf(tree, zoomed, 5), null);
});

test('narrow boxes become a filler that counts nodes', () => {
  assert.deepEqual(layoutRows(tree, 0, 1.2)[2], [-3, 0, 0.72]);
  assert.deepEqual(layoutRows(tree, 0, 1.2)[1], [1, 0, 0.8]);
  assert.deepEqual(layoutRows(tree, 0, 0.7)[1], [-5, 0, 0.7]);
});

test('matches in narrow boxes are found where the filler is', () => {
  const matches = compileQuery('b|c', tree.names).matches;
  assert.deepEqual(narrowMatches(tree, 0, 150, matches), []);
  const [, , places] = narrowMatches(tree, 0, 1.2, matches);
  assert.equal(places.length, 2);
  assert.equal(places[0], 0);
  assert.ok(Math.abs(places[1] - 0.72) < 1e-9);
  assert.deepEqual(narrowMatches(tree, 0, 1.2, compileQuery('nowhere', tree.names).matches), []);
});

test('boxAt finds the box under a pixel', () => {
  const row = layoutRows(tree, 0, 150)[1];
  assert.equal(row[boxAt(row, 99)], 1);
  assert.equal(row[boxAt(row, 101)], 5);
  assert.equal(boxAt(row, 151), -1);
});

test('search counts a stack once and takes bad patterns as text', () => {
  const query = compileQuery('b|c', tree.names);
  assert.deepEqual(matchedWeight(tree, 0, query.matches), { weight: 90, nodes: [2, 4] });
  assert.equal(compileQuery('(', tree.names).literal, true);
  assert.equal(compileQuery('', tree.names), null);
  assert.equal(matchedWeight(tree, 0, compileQuery('B', tree.names).matches).weight, 0);
  assert.equal(matchedWeight(tree, 0, compileQuery('^all$', tree.names).matches).weight, 0);
});

test('paths lead back to their nodes', () => {
  for (let node = 0; node < tree.n; node++) assert.equal(nodeAt(tree, pathOf(tree, node)), node);
  assert.equal(nodeAt(tree, 'a;gone;b'), 1);
  const twins = { ...tree, names: ['all', 'x;~', 'b', 'b', 'x;~'] };
  for (let node = 0; node < tree.n; node++) assert.equal(nodeAt(twins, pathOf(twins, node)), node);
});

test('hash holds a view', () => {
  const route = { path: 'a;b%3B', query: 'x&y=1', icicle: '1', color: '' };
  assert.deepEqual(fromHash(`#${toHash(route)}`), { path: 'a;b%3B', query: 'x&y=1', icicle: '1' });
  assert.equal(toHash({ path: 'x'.repeat(9000) }), '');
  assert.deepEqual(fromHash('#query=%'), {});
});

test('arrows move to neighbours and stop at edges', () => {
  assert.equal(neighbour(tree, 1, 'child'), 2);
  assert.equal(neighbour(tree, 2, 'right'), 4);
  assert.equal(neighbour(tree, 2, 'left'), 2);
  assert.equal(neighbour(tree, 0, 'parent'), 0);
});

test('weights say their unit and admit when they are not exact', () => {
  assert.equal(formatWeight(1234, 'samples'), '1,234 samples');
  assert.equal(formatWeight(2.5e9, 'ns'), '2.50 s');
  assert.equal(formatWeight(2048, 'bytes'), '2.00 KiB');
  assert.equal(formatWeight(2 ** 60, 'toString')[0], '≈');
  assert.equal(formatWeight(2 ** 60, 'events', '1152921504606846977'), '1,152,921,504,606,846,977 events');
  assert.equal(formatShare(1, 3), '33.33%');
  assert.equal(formatShare(1, 0), '0.00%');
  assert.equal(formatShare(1, 50_000), '0.002%');
  assert.equal(formatShare(1, 1e7), '<0.001%');
});

test('text for Plotly is plain', () => {
  assert.equal(plotlyText('<b>&\n'), '&lt;b&gt;&amp; ');
  assert.equal(clip('abcdef', 4), 'abc…');
});

test('rows near the screen cover it, at both ends of a deep stack', () => {
  assert.deepEqual(rowsNear(0, 180, 1000, true), { first: 0, last: 20 });
  const atRoots = rowsNear(1000 * 18 - 180, 180, 1000, false);
  assert.equal(atRoots.first, 0);
  assert.ok(atRoots.last >= 10);
});
