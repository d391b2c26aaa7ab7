import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventOf, rowsOf, unitOf } from '../../../../flamegraph/assets/events.js';
import { heatCells } from '../../../../flamegraph/assets/heatmap.js';
import { freshState, routeOf, settingsOf, stateFrom } from '../../../../flamegraph/assets/state.js';
import { sampleTree } from './sample.mjs';

const samples = {
  node: new Uint32Array([1, 2, 2]),
  weight: new Uint32Array([1000, 7, 8]),
  value: [new Uint32Array([0, 1, 1]), new Uint32Array([0, 0, 1]), new Uint32Array([0, 1, 1])],
  facets: [
    { name: 'event', values: ['cpu-clock', 'page-faults'], units: ['ns', 'faults'] },
    { name: 'thread', values: ['one', 'two'] },
    { name: 'time', values: [], heat: { rows: 2, columns: 1, seconds: 1 } },
  ],
};
const fresh = freshState({ icicle: false, color: 'kind' });

test('an event is found by its name, and is the first where there is none of that name', () => {
  assert.deepEqual(eventOf(samples, 'page-faults'), { facet: 0, at: 1 });
  assert.deepEqual(eventOf(samples, 'gone'), { facet: 0, at: 0 });
  assert.deepEqual(eventOf(null, ''), { facet: -1, at: -1 });
  assert.equal(unitOf(samples, 'page-faults', 'samples'), 'faults');
  assert.equal(unitOf(null, '', 'samples'), 'samples');
});

test('rows and cells are those of one event', () => {
  assert.deepEqual([0, 1, 2].map(rowsOf(samples, '')), [true, false, false]);
  assert.deepEqual([...heatCells(samples, 2)], [1000, 0]);
  assert.deepEqual([...heatCells(samples, 2, 'page-faults')], [0, 15]);
});

test('settings always keep one event, whatever else is kept, and the address holds it', () => {
  const state = { ...fresh, event: 'page-faults', keep: { thread: ['two'] } };
  assert.deepEqual(settingsOf(fresh, sampleTree(), samples).keep, [[0], null, null]);
  assert.deepEqual(settingsOf(state, sampleTree(), samples).keep, [[1], [1], null]);
  const route = routeOf(state, fresh);
  assert.equal(route.event, 'page-faults');
  assert.deepEqual(stateFrom(route, fresh, ['kind']), state);
});
