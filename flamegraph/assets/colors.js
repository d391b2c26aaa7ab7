import { functionWeights } from './functions.js';

/** What is not a colour of code: the page around the boxes. */
export const THEMES = {
  light: { ground: '#ffffff', text: '#14161a', filler: '#d9dbe0', match: '#c86bfa', dimmed: 0.32, ancestor: 0.5 },
  dark: { ground: '#16181d', text: '#14161a', filler: '#3d424c', match: '#cf7dff', dimmed: 0.3, ancestor: 0.5 },
};
/** From "less than before" to "more than before"; the three colour blindnesses tell the ends apart. */
export const DIVERGING = ['#5b9bd5', '#82b4e0', '#a9cdea', '#d4e6f4', '#f2f2f2', '#fde3cc', '#fbc596', '#f5a35c', '#e87d2b'];
/** The same for a dark page, on which white glares. */
const DIVERGING_DARK = ['#4f86c0', '#709dcc', '#92b3d0', '#b0c0cf', '#bfc3c9', '#d6bda6', '#dba97b', '#d99251', '#d17428'];
const HEAT = ['#e9e6de', '#f7e7c0', '#fbd994', '#fcc56c', '#fbac50', '#f5914a', '#ec7a4d', '#e56a5a'];
const HUES = 24;
/** A change of less than this part of all is noise. */
const NOISE = 0.0002;

/**
 * @typedef {Object} Colors
 * @property {(node: number) => number} classOf index into fills
 * @property {string[]} fills
 * @property {{text: string, fill: string}[]} legend
 */

/**
 * @param {import('./decode.js').Tree} tree
 * @param {string} color "kind", "module", "name", "heat" or "change" @param {string} theme
 * @returns {Colors}
 */
export function colorsOf(tree, color, theme) {
  if (color === 'name') return byName(tree, theme);
  if (color === 'heat') return byHeat(tree);
  if (color === 'change' && tree.other) return byChange(tree, theme === 'dark' ? DIVERGING_DARK : DIVERGING);
  const scheme = tree.schemes[color] ?? tree.schemes.kind;
  const fills = scheme[theme];
  const { label } = tree;
  return { classOf: (node) => scheme.of[label[node]], fills, legend: scheme.legend.map(([text, at]) => ({ text, fill: fills[at] })) };
}

/** The same name has the same colour in every graph. */
function byName(tree, theme) {
  const of = tree.names.map((name) => hash(name) % HUES);
  const lightness = theme === 'dark' ? 62 : 74;
  const fills = Array.from({ length: HUES }, (_, at) => `hsl(${Math.round((360 / HUES) * at)} 62% ${lightness + (at % 3) * 3}%)`);
  return { classOf: (node) => of[tree.label[node]], fills, legend: [{ text: 'a colour a name', fill: fills[14] }] };
}

/** How much of the weight a function is the leaf of, wherever it is. */
function byHeat(tree) {
  const { self } = functionWeights(tree, 0);
  const hottest = self.reduce((most, weight) => Math.max(most, weight), 0) || 1;
  const steps = HEAT.length - 1;
  const of = Uint8Array.from(self, (weight) => (weight ? Math.max(1, Math.round(Math.sqrt(weight / hottest) * steps)) : 0));
  return {
    classOf: (node) => of[tree.functionOf[tree.label[node]]],
    fills: HEAT,
    legend: [{ text: 'no self weight', fill: HEAT[0] }, { text: 'some', fill: HEAT[3] }, { text: 'the most', fill: HEAT[steps] }],
  };
}

function byChange(tree, fills) {
  const middle = (fills.length - 1) / 2;
  return {
    classOf: (node) => Math.round(middle + middle * changeOf(tree, node)),
    fills,
    legend: [{ text: 'less than before', fill: fills[0] }, { text: 'the same', fill: fills[middle] }, { text: 'more', fill: fills[2 * middle] }],
  };
}

/**
 * @param {import('./decode.js').Tree} tree with weights to compare with @param {number} node
 * @returns {number} from -1, gone, to 1, new: how the node's share of all changed
 */
export function changeOf(tree, node) {
  const other = /** @type {import('./decode.js').Weights} */ (tree.other);
  const own = tree.total[0] ? tree.total[node] / tree.total[0] : 0;
  const others = other[0] ? other[node] / other[0] : 0;
  const [now, before] = tree.swapped ? [others, own] : [own, others];
  return Math.abs(now - before) < NOISE ? 0 : (now - before) / Math.max(now, before);
}

/** @param {string} text */
function hash(text) {
  let value = 2166136261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619);
  return (value ^ (value >>> 13)) >>> 0;
}

/** Dark text needs a light ground: a faded box on a dark page takes light text. @param {string} theme @param {boolean} faded */
export function textOn(theme, faded) {
  return faded && theme === 'dark' ? '#e6e8ec' : THEMES[theme].text;
}
