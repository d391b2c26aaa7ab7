// Which of several events is shown: a nanosecond and a page fault have no sum, so that it is always one.
import { byId } from './chrome.js';
import { element } from './tip.js';

/** @typedef {import('./decode.js').Samples} Samples */

/** @param {Samples | null} samples @param {string} name of an event, '' for the first @returns {{facet: number, at: number}} -1 if there is but one event */
export function eventOf(samples, name) {
  const facet = samples ? samples.facets.findIndex(({ units }) => units) : -1;
  return { facet, at: facet < 0 ? -1 : Math.max(0, /** @type {Samples} */ (samples).facets[facet].values.indexOf(name)) };
}

/** @param {Samples | null} samples @param {string} name @param {string} otherwise the unit where there is but one event */
export function unitOf(samples, name, otherwise) {
  const { facet, at } = eventOf(samples, name);
  return facet < 0 ? otherwise : samples?.facets[facet].units?.[at] ?? otherwise;
}

/** @param {Samples} samples @param {string} name @returns {(row: number) => boolean} whether a row is of the event */
export function rowsOf(samples, name) {
  const { facet, at } = eventOf(samples, name);
  return facet < 0 ? () => true : (row) => samples.value[facet][row] === at;
}

/** Fills the list of events. @param {Samples} samples @param {(name: string) => void} choose */
export function buildEvents(samples, choose) {
  const { facet } = eventOf(samples, '');
  if (facet < 0) return;
  const { values, units } = samples.facets[facet];
  const list = byId('event');
  list.replaceChildren(...values.map((name, at) => {
    const option = /** @type {HTMLOptionElement} */ (element('option', `${name} (${units?.[at]})`));
    option.value = at ? name : '';
    return option;
  }));
  list.onchange = () => choose(list.value);
  byId('events').hidden = false;
}

/** @param {string} name */
export function showEvent(name) {
  byId('event').value = name;
}
