// What of the samples is shown: threads, CPUs and what else the profile tells apart.
import { byId } from './chrome.js';
import { rowsOf } from './events.js';
import { formatShare, oneLine } from './format.js';
import { element } from './tip.js';

const MOST = 400;

/**
 * Builds the lists of the filter menu.
 * @param {import('./decode.js').Samples} samples
 * @param {(facet: string, values: string[] | null) => void} changed null: all of them
 */
export function buildFilters(samples, changed) {
  const groups = samples.facets.flatMap((facet, at) => (facet.heat || facet.units ? [] : [groupOf(facet, at, samples, changed)]));
  built = { samples, groups, event: null };
  byId('filter-list').replaceChildren(...groups);
  byId('filter').hidden = !groups.length;
}

/** @type {{samples: import('./decode.js').Samples, groups: HTMLElement[], event: string | null} | null} event: whose shares are shown */
let built = null;

/** Says how much of an event each value has. @param {string} event */
function showShares(event) {
  if (!built || built.event === event) return;
  const { samples, groups } = built;
  const counts = rowsOf(samples, event);
  let all = 0;
  samples.weight.forEach((weight, row) => { if (counts(row)) all += weight; });
  for (const group of groups) {
    const which = Number(group.dataset.at);
    const sums = new Float64Array(samples.facets[which].values.length);
    samples.weight.forEach((weight, row) => { if (counts(row)) sums[samples.value[which][row]] += weight; });
    for (const share of /** @type {NodeListOf<HTMLElement>} */ (group.querySelectorAll('[data-value]'))) share.textContent = formatShare(sums[Number(share.dataset.value)], all);
  }
  built.event = event;
}

function groupOf({ name, values }, which, samples, changed) {
  const group = document.createElement('fieldset');
  group.dataset.facet = name;
  group.dataset.at = String(which);
  const sums = new Float64Array(values.length);
  const counts = rowsOf(samples, '');
  samples.weight.forEach((weight, row) => { if (counts(row)) sums[samples.value[which][row]] += weight; });
  const everything = element('button', 'all', 'small');
  everything.onclick = () => changed(name, null);
  const legend = element('legend', name);
  legend.append(' ', everything);
  const order = values.map((_, at) => at).sort((a, b) => sums[b] - sums[a]).slice(0, MOST);
  group.append(legend, ...order.map((at) => optionOf(values[at], at)));
  group.onchange = () => {
    const boxes = [...group.querySelectorAll('input')];
    const kept = boxes.filter((box) => box.checked).map((box) => box.value);
    changed(name, kept.length === boxes.length ? null : kept);
  };
  return group;
}

/** @param {string} value @param {number} at */
function optionOf(value, at) {
  const option = element('label', '', 'option');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.value = value;
  box.checked = true;
  const share = element('span', '', 'quiet');
  share.dataset.value = String(at);
  const only = element('button', 'only', 'small');
  only.onclick = (event) => {
    event.preventDefault();
    const group = /** @type {HTMLElement} */ (option.parentElement);
    for (const other of group.querySelectorAll('input')) other.checked = other === box;
    group.dispatchEvent(new Event('change'));
  };
  option.append(box, element('span', oneLine(value) || '(none)', 'value'), only, share);
  return option;
}

/** Ticks what is kept. @param {Object<string, string[]>} keep @param {string} event */
export function showFilters(keep, event) {
  showShares(event);
  for (const group of byId('filter-list').querySelectorAll('fieldset')) {
    const kept = keep[group.dataset.facet ?? ''];
    for (const box of group.querySelectorAll('input')) box.checked = !kept || kept.includes(box.value);
  }
}
