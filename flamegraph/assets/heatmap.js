// When it happened: a column a second (or more), the offset within it upwards, darker where more weight is.
import { byId } from './chrome.js';
import { drawFigure } from './draw.js';
import { formatWeight } from './format.js';

const CELL = 6;
const AXIS = 34;
const RAMP = {
  light: ['#eef0f3', '#fde9c9', '#fcd49a', '#fbb765', '#f3913f', '#db6a2d', '#b54a26', '#86301f'],
  dark: ['#22262e', '#4a3a26', '#6f4f25', '#98642a', '#c27c30', '#e59a45', '#f6bd6f', '#fde3b3'],
};

/**
 * @typedef {Object} Heat
 * @property {number} rows cells in a column @property {number} columns
 * @property {number} seconds that a column lasts
 */

/** @param {import('./decode.js').Samples} samples @returns {number} the facet of time, -1 if there is none */
export function timeFacet(samples) {
  return samples.facets.findIndex((facet) => facet.heat);
}

/** @returns {Heat} */
function heatOf(samples, facet) {
  return samples.facets[facet].heat;
}

/** @param {import('./decode.js').Samples} samples @param {number} facet @returns {Float64Array} weight by cell, columns first */
export function heatCells(samples, facet) {
  const { rows, columns } = heatOf(samples, facet);
  const sums = new Float64Array(rows * columns);
  samples.weight.forEach((weight, at) => { sums[samples.value[facet][at]] += weight; });
  return sums;
}

/** @param {number} one cell @param {number} other cell @returns {string} the range as the address writes it */
export function rangeText(one, other) {
  return `${Math.min(one, other)}-${Math.max(one, other)}`;
}

/** @param {string | undefined} text @param {number} cells that there are @returns {[number, number] | null} first and last cell */
export function readRange(text, cells) {
  const [, from, to] = (/^(\d{1,9})-(\d{1,9})$/.exec(text ?? '') ?? []).map(Number);
  return from <= to && from < cells ? [from, Math.min(to, cells - 1)] : null;
}

/**
 * @param {Float64Array} cells @param {Heat} heat @param {number} width @param {string} theme
 * @param {[number, number] | null} range cells outside of it are faint
 */
export function heatFigure(cells, heat, width, theme, range) {
  const ramp = RAMP[theme];
  const most = cells.reduce((high, weight) => Math.max(high, weight), 0) || 1;
  const wide = (width - AXIS) / heat.columns;
  const paths = new Map();
  cells.forEach((weight, cell) => {
    const shade = weight ? Math.max(1, Math.ceil(Math.sqrt(weight / most) * (ramp.length - 1))) : 0;
    const faint = range && (cell < range[0] || cell > range[1]);
    const key = `${shade} ${faint ? 0.3 : 1}`;
    const [left, low] = [AXIS + Math.floor(cell / heat.rows) * wide, cell % heat.rows];
    const gap = wide > 4 ? 1 : 0;
    const part = `M${left.toFixed(1)} ${low}H${(left + wide - gap).toFixed(1)}V${low + (gap ? 0.84 : 1)}H${left.toFixed(1)}Z`;
    paths.set(key, (paths.get(key) ?? '') + part);
  });
  const shapes = [...paths].map(([key, path]) => {
    const [shade, opacity] = key.split(' ').map(Number);
    return { type: 'path', path, fillcolor: ramp[shade], opacity, line: { width: 0 }, layer: 'below' };
  });
  const ink = theme === 'dark' ? '#a0a7b4' : '#5d6470';
  return {
    data: [{ type: 'scatter', mode: 'text', hoverinfo: 'skip', textfont: { size: 10, color: ink }, textposition: 'middle right', ...ticksOf(heat) }],
    layout: {
      width, height: heat.rows * CELL, margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 }, showlegend: false, hovermode: false, dragmode: false,
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', shapes,
      xaxis: { range: [0, width], visible: false, fixedrange: true }, yaxis: { range: [0, heat.rows], visible: false, fixedrange: true },
    },
  };
}

function ticksOf({ rows, seconds }) {
  const text = [seconds, seconds / 2, 0].map((time) => (seconds >= 1 ? `${Number(time.toPrecision(3))} s` : `${Math.round(time * 1000)} ms`));
  return { x: [0, 0, 0], y: [rows - 1, rows / 2, 1], text };
}

/** @param {number} cell @param {Heat} heat @returns {number} when it begins, in seconds */
export function cellTime(cell, heat) {
  return (cell * heat.seconds) / heat.rows;
}

/**
 * @param {import('./decode.js').Samples} samples @param {any} page
 * @param {(facet: string, values: string[] | null) => void} keepOnly
 */
export function startHeatmap(samples, page, keepOnly) {
  const facet = timeFacet(samples);
  if (facet < 0) return;
  const { name } = samples.facets[facet];
  const heat = heatOf(samples, facet);
  const cells = heatCells(samples, facet);
  const field = byId('heat-field');
  byId('heat').hidden = false;
  const chosen = () => readRange(page.state.keep[name]?.[0], cells.length);
  const cellAt = (event) => {
    const box = field.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left - AXIS) / (box.width - AXIS)) * heat.columns);
    const row = heat.rows - 1 - Math.floor((event.clientY - box.top) / CELL);
    return clampTo(column, heat.columns) * heat.rows + clampTo(row, heat.rows);
  };
  const draw = (range) => {
    field.style.height = `${heat.rows * CELL}px`;
    byId('heat-text').textContent = spoken(range, cells, heat, page.options.unit);
    byId('heat-all').disabled = !range;
    return drawFigure(byId('heat-plot'), heatFigure(cells, heat, Math.max(120, field.clientWidth), page.theme, range));
  };
  const choose = (range) => keepOnly(name, range ? [rangeText(range[0], range[1])] : null);
  page.drawHeat = () => (byId('heat').open ? draw(chosen()) : undefined);
  if (chosen()) byId('heat').open = true;
  byId('heat-all').onclick = () => choose(null);
  byId('heat').ontoggle = () => draw(chosen());
  listenToCells(field, cellAt, draw, choose);
  field.onkeydown = (event) => onHeatKey(event, chosen(), heat, choose);
}

const clampTo = (value, count) => Math.min(Math.max(0, value), count - 1);

/** @param {[number, number] | null} range @param {Heat} heat */
function spoken(range, cells, heat, unit) {
  if (!range) return 'all of the time; drag from a moment to a later one to see only what was between';
  let sum = 0;
  for (let cell = range[0]; cell <= range[1]; cell++) sum += cells[cell];
  return `${sayRange(range, heat)}: ${formatWeight(sum, unit)}`;
}

/** @param {[number, number]} range @param {Heat} heat @returns {string} */
export function sayRange([from, to], heat) {
  return `${cellTime(from, heat).toFixed(2)} s to ${cellTime(to + 1, heat).toFixed(2)} s`;
}

function listenToCells(field, cellAt, draw, choose) {
  let from = null;
  const rangeTo = (event) => /** @type {[number, number]} */ ([Math.min(from, cellAt(event)), Math.max(from, cellAt(event))]);
  field.onpointerdown = (event) => { from = cellAt(event); field.setPointerCapture(event.pointerId); };
  field.onpointermove = (event) => { if (from !== null) draw(rangeTo(event)); };
  field.onpointerup = (event) => { if (from !== null) choose(rangeTo(event)); from = null; };
  field.onpointercancel = () => { from = null; };
}

/** Left and right move the range by its own length, with Shift they make it longer or shorter. */
function onHeatKey(event, range, heat, choose) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const last = heat.rows * heat.columns - 1;
  if (event.key === 'Escape' && range) choose(null);
  else if (!by) return;
  else if (!range) choose([0, heat.rows - 1]);
  else if (event.shiftKey) choose([range[0], Math.min(last, Math.max(range[0] + heat.rows - 1, range[1] + by * heat.rows))]);
  else {
    const length = range[1] - range[0] + 1;
    const start = Math.min(Math.max(0, range[0] + by * length), last + 1 - length);
    choose([start, start + length - 1]);
  }
  event.preventDefault();
  event.stopPropagation();
}
