import { functionWeights } from './functions.js';

/** What is not a colour of code: the page around the boxes. */
export const THEMES = {
  light: { ground: '#ffffff', text: '#14161a', filler: '#d9dbe0', match: '#c86bfa', dimmed: 0.32, ancestor: 0.5 },
  dark: { ground: '#16181d', text: '#14161a', filler: '#3d424c', match: '#cf7dff', dimmed: 0.3, ancestor: 0.5 },
};
/** A change of less than this part of all is noise, however many samples there are. */
const NOISE = 0.0002;
/** Within so many standard errors of independent samples a change is chance, and not coloured. */
const SIGMA = 2;

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
  const known = (color === 'change' && !tree.other) || !tree.schemes[color] ? 'kind' : color;
  const scheme = tree.schemes[known];
  const { of, legend } = scheme;
  const fills = scheme[theme];
  const { label } = tree;
  const by = { heat: () => byHeat(tree, fills.length - 1), change: () => byChange(tree, (fills.length - 1) / 2) };
  return { classOf: by[known]?.() ?? ((node) => of[label[node]]), fills, legend: legend.map(([text, at]) => ({ text, fill: fills[at] })) };
}

/** How much of the weight a function is the leaf of, wherever it is. @param {import('./decode.js').Tree} tree @param {number} steps */
function byHeat(tree, steps) {
  const { self } = functionWeights(tree, 0);
  const hottest = self.reduce((most, weight) => Math.max(most, weight), 0) || 1;
  const of = Uint8Array.from(self, (weight) => (weight ? Math.max(1, Math.round(Math.sqrt(weight / hottest) * steps)) : 0));
  return (node) => of[tree.functionOf[tree.label[node]]];
}

/** @param {import('./decode.js').Tree} tree @param {number} middle */
function byChange(tree, middle) {
  return (node) => Math.round(middle + middle * changeOf(tree, node));
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
  const both = (now + before) / 2;
  const [were, are] = tree.counts ?? [Infinity, Infinity];
  const chance = SIGMA * Math.sqrt(both * (1 - both) * (1 / were + 1 / are));
  return Math.abs(now - before) < Math.max(NOISE, chance) ? 0 : (now - before) / Math.max(now, before);
}

/** Dark text needs a light ground: a faded box on a dark page takes light text. @param {string} theme @param {boolean} faded */
export function textOn(theme, faded) {
  return faded && theme === 'dark' ? '#e6e8ec' : THEMES[theme].text;
}
