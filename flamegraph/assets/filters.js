// What of the samples is shown: threads, CPUs and what else the profile tells apart.
import { byId } from './chrome.js';
import { formatShare, oneLine } from './format.js';
import { element } from './tip.js';

const MOST = 400;

/**
 * Builds the lists of the filter menu.
 * @param {import('./decode.js').Samples} samples
 * @param {(facet: string, values: string[] | null) => void} changed null: all of them
 */
export function buildFilters(samples, changed) {
  let all = 0;
  for (const weight of samples.weight) all += weight;
  const groups = samples.facets.flatMap((facet, at) => {
    if (facet.heat) return [];
    const sums = new Float64Array(facet.values.length);
    samples.weight.forEach((weight, row) => { sums[samples.value[at][row]] += weight; });
    return [groupOf(facet, sums, all, changed)];
  });
  byId('filter-list').replaceChildren(...groups);
  byId('filter').hidden = !groups.length;
}

function groupOf({ name, values }, sums, all, changed) {
  const group = document.createElement('fieldset');
  group.dataset.facet = name;
  const everything = element('button', 'all', 'small');
  everything.onclick = () => changed(name, null);
  const legend = element('legend', name);
  legend.append(' ', everything);
  const order = values.map((_, at) => at).sort((a, b) => sums[b] - sums[a]).slice(0, MOST);
  group.append(legend, ...order.map((at) => optionOf(values[at], formatShare(sums[at], all))));
  group.onchange = () => {
    const boxes = [...group.querySelectorAll('input')];
    const kept = boxes.filter((box) => box.checked).map((box) => box.value);
    changed(name, kept.length === values.length ? null : kept);
  };
  return group;
}

function optionOf(value, share) {
  const option = element('label', '', 'option');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.value = value;
  box.checked = true;
  const only = element('button', 'only', 'small');
  only.onclick = (event) => {
    event.preventDefault();
    const group = /** @type {HTMLElement} */ (option.parentElement);
    for (const other of group.querySelectorAll('input')) other.checked = other === box;
    group.dispatchEvent(new Event('change'));
  };
  option.append(box, element('span', oneLine(value) || '(none)', 'value'), only, element('span', share, 'quiet'));
  return option;
}

/** Ticks what is kept. @param {Object<string, string[]>} keep */
export function showFilters(keep) {
  for (const group of byId('filter-list').querySelectorAll('fieldset')) {
    const kept = keep[group.dataset.facet ?? ''];
    for (const box of group.querySelectorAll('input')) box.checked = !kept || kept.includes(box.value);
  }
}
