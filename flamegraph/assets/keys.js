import { childrenOf } from './route.js';

/** @returns {number} the neighbour of `node` in a direction, or the node itself at an edge */
export function neighbour(tree, node, direction) {
  const parent = tree.parent[node];
  if (direction === 'parent') return Math.max(parent, 0);
  if (direction === 'child') {
    return childrenOf(tree, node).reduce((best, child) => (best === node || tree.total[child] > tree.total[best] ? child : best), node);
  }
  if (parent < 0) return node;
  const siblings = childrenOf(tree, parent);
  const at = siblings.indexOf(node) + (direction === 'right' ? 1 : -1);
  return siblings[at] ?? node;
}

/**
 * Which action a key stands for; null if none of ours.
 * @param {KeyboardEvent} event @param {boolean} icicle
 */
export function actionOf(event, icicle) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const away = icicle ? 'ArrowDown' : 'ArrowUp';
  const home = icicle ? 'ArrowUp' : 'ArrowDown';
  const actions = {
    [away]: 'child', [home]: 'parent', ArrowLeft: 'left', ArrowRight: 'right', Enter: 'zoom', ' ': 'zoom',
    Escape: 'escape', 0: 'reset', Backspace: 'up', '/': 'search', c: 'copy', '?': 'help', i: 'icicle', t: 'theme',
    n: 'next', N: 'previous', m: 'color', '+': 'wider', '=': 'wider', '-': 'narrower', s: 'sandwich', e: 'everywhere',
    f: 'focus', k: 'collapse', h: 'hide', '.': 'menu', ContextMenu: 'menu', u: 'undo', b: 'table', g: 'graph',
    o: 'order', r: 'merge', w: 'swap', v: 'event',
  };
  return Object.hasOwn(actions, event.key) ? actions[event.key] : null;
}
