// What the reader asked for: the part of the page that an address can hold.
import { eventOf } from './events.js';
import { WHOLE } from './layout.js';
import { cellsOf, readPart } from './moments.js';
import { decodeName, encodeName } from './route.js';

/**
 * @typedef {Object} State
 * @property {string} view "graph", "table" or "sandwich"
 * @property {string} path of the zoomed frame @property {import('./layout.js').Span} span
 * @property {boolean} icicle @property {string} color @property {string} order "name" or "heavy"
 * @property {boolean} merge @property {boolean} swap
 * @property {string[]} hide @property {string[]} collapse @property {string} focus names of functions
 * @property {string} event '' for the first
 * @property {Object<string, string[]>} keep values by name of a facet
 * @property {string} query @property {string} pick function of the sandwich
 */

export const VIEWS = ['graph', 'table', 'sandwich'];

/** @param {{icicle: boolean, color: string}} options @returns {State} */
export function freshState({ icicle, color }) {
  return {
    view: 'graph', path: '', span: WHOLE, icicle, color, order: 'name', merge: false, swap: false,
    hide: [], collapse: [], focus: '', event: '', keep: {}, query: '', pick: '',
  };
}

const list = (names) => names.map(encodeName).join(';');
const unlist = (text) => (text ? text.split(';').map(decodeName) : []);

/** @param {State} state @param {State} fresh what needs no saying @returns {Object<string, string>} */
export function routeOf(state, fresh) {
  const differs = (key, text) => (state[key] === fresh[key] ? '' : text);
  const keep = Object.entries(state.keep).flatMap(([facet, values]) => values.map((value) => `${encodeName(facet)}:${encodeName(value)}`));
  return {
    view: differs('view', state.view), path: state.path, query: state.query,
    span: state.span[0] > 0 || state.span[1] < 1 ? state.span.map((edge) => edge.toPrecision(6)).join('-') : '',
    icicle: differs('icicle', String(Number(state.icicle))), color: differs('color', state.color),
    order: differs('order', state.order), merge: state.merge ? '1' : '', swap: state.swap ? '1' : '',
    hide: list(state.hide), collapse: list(state.collapse), focus: encodeName(state.focus), event: encodeName(state.event), keep: keep.join(';'),
    pick: state.view === 'sandwich' ? encodeName(state.pick) : '',
  };
}

/** @param {Object<string, string>} route @param {State} fresh @param {string[]} colors that the page has @returns {State} */
export function stateFrom(route, fresh, colors) {
  /** @type {Object<string, string[]>} */
  const keep = {};
  for (const part of route.keep ? route.keep.split(';') : []) {
    const [facet, value] = part.split(':').map(decodeName);
    if (value !== undefined) (keep[facet] ??= []).push(value);
  }
  const [from, to] = (route.span ?? '').split('-').map(Number);
  return {
    view: VIEWS.includes(route.view) ? route.view : fresh.view,
    path: route.path ?? '',
    span: from >= 0 && to <= 1 && from < to ? [from, to] : WHOLE,
    icicle: route.icicle === undefined ? fresh.icicle : route.icicle === '1',
    color: colors.includes(route.color) ? route.color : fresh.color,
    order: route.order === 'heavy' ? 'heavy' : 'name',
    merge: route.merge === '1', swap: route.swap === '1',
    hide: unlist(route.hide), collapse: unlist(route.collapse), focus: decodeName(route.focus ?? ''), event: decodeName(route.event ?? ''), keep,
    query: route.query ?? '', pick: decodeName(route.pick ?? ''),
  };
}

/**
 * @param {State} state @param {import('./decode.js').Book} book @param {import('./decode.js').Samples | null} samples
 * @returns {import('./derive.js').Settings}
 */
export function settingsOf(state, book, samples) {
  const byName = (names) => {
    const wanted = new Set(names);
    return wanted.size ? [...book.firstLabel.keys()].filter((id) => wanted.has(book.names[book.firstLabel[id]])) : [];
  };
  const event = eventOf(samples, state.event);
  const keep = samples?.facets.map(({ name, values, heat }, facet) => {
    if (facet === event.facet) return [event.at];
    const wanted = state.keep[name];
    const part = heat && readPart(wanted?.[0], heat);
    if (heat) return part ? cellsOf(part, heat) : null;
    return wanted ? wanted.map((value) => values.indexOf(value)).filter((at) => at >= 0) : null;
  });
  return {
    hide: byName(state.hide), collapse: byName(state.collapse), focus: state.focus ? byName([state.focus]) : [],
    merge: state.merge, order: state.order, swap: state.swap, keep,
  };
}
