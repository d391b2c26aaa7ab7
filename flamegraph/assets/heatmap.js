// When it happened: a column a second (or more), the offset within it upwards, darker where more weight is.
import { byId } from './chrome.js';
import { drawFigure } from './draw.js';
import { rowsOf } from './events.js';
import { formatWeight } from './format.js';
import { boxesOf, cellCount, cellTime, holds, moved, partText, readPart, sayPart } from './moments.js';

const AXIS = 44;
const FOOT = 16;
const FEWEST_PIXELS = 3;
const RAMP = {
  light: ['#eef0f3', '#fde9c9', '#fcd49a', '#fbb765', '#f3913f', '#db6a2d', '#b54a26', '#86301f'],
  dark: ['#22262e', '#4a3a26', '#6f4f25', '#98642a', '#c27c30', '#e59a45', '#f6bd6f', '#fde3b3'],
};

/** @typedef {import('./moments.js').Heat} Heat @typedef {import('./moments.js').Part} Part */

/** @param {import('./decode.js').Samples} samples @returns {number} the facet of time, -1 if there is none */
export function timeFacet(samples) {
  return samples.facets.findIndex((facet) => facet.heat);
}

/**
 * @param {import('./decode.js').Samples} samples @param {number} facet @param {string} [event] '' for the first
 * @returns {Float64Array} weight by cell, columns first
 */
export function heatCells(samples, facet, event = '') {
  const counts = rowsOf(samples, event);
  const sums = new Float64Array(cellCount(/** @type {Heat} */ (samples.facets[facet].heat)));
  samples.weight.forEach((weight, at) => { if (counts(at)) sums[samples.value[facet][at]] += weight; });
  return sums;
}

/** @param {Heat} heat @returns {number} pixels that a cell is high */
export function cellHeight({ rows }) {
  return Math.max(2, Math.min(6, Math.floor(300 / rows)));
}

/**
 * @param {Float64Array} cells @param {Heat} heat @param {number} width @param {string} theme
 */
export function heatFigure(cells, heat, width, theme) {
  const ramp = RAMP[theme];
  const high = cellHeight(heat);
  const most = cells.reduce((top, weight) => Math.max(top, weight), 0) || 1;
  const wide = (width - AXIS) / heat.columns;
  const [gapX, gapY] = [wide > 4 ? 1 : 0, wide > 4 && high > 4 ? 1 : 0];
  const paths = new Map();
  cells.forEach((weight, cell) => {
    const shade = weight ? Math.max(1, Math.ceil(Math.sqrt(weight / most) * (ramp.length - 1))) : 0;
    if (!shade && !gapX) return;
    const [left, low] = [AXIS + Math.floor(cell / heat.rows) * wide, FOOT + (cell % heat.rows) * high];
    paths.set(shade, `${paths.get(shade) ?? ''}M${left.toFixed(1)} ${low}H${(left + wide - gapX).toFixed(1)}V${low + high - gapY}H${left.toFixed(1)}Z`);
  });
  const fill = (path, fillcolor) => ({ type: 'path', path, fillcolor, line: { width: 0 }, layer: 'below' });
  const shapes = [...paths].map(([shade, path]) => fill(path, ramp[shade]));
  const height = FOOT + heat.rows * high;
  if (!gapX) shapes.unshift(fill(`M${AXIS} ${FOOT}H${width}V${height}H${AXIS}Z`, ramp[0]));
  const ink = theme === 'dark' ? '#a0a7b4' : '#5d6470';
  const words = { type: 'scatter', mode: 'text', hoverinfo: 'skip', textfont: { size: 10, color: ink } };
  return {
    data: [{ ...words, textposition: 'middle right', ...offsetTicks(heat, high) }, { ...words, ...timeTicks(heat, wide) }],
    layout: {
      width, height, margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 }, showlegend: false, hovermode: false, dragmode: false,
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', shapes,
      xaxis: { range: [0, width], visible: false, fixedrange: true }, yaxis: { range: [0, height], visible: false, fixedrange: true },
    },
  };
}

/**
 * The path that covers all but what is chosen: to draw it is cheap, however many cells there are.
 * @param {Part | null} part @param {Heat} heat @param {number} width @returns {string}
 */
export function veilPath(part, heat, width) {
  if (!part) return '';
  const [wide, high] = [(width - AXIS) / heat.columns, cellHeight(heat)];
  const box = ([left, right, low, top]) => `M${AXIS + left * wide} ${(heat.rows - top - 1) * high}H${AXIS + (right + 1) * wide}V${(heat.rows - low) * high}H${AXIS + left * wide}Z`;
  return box([0, heat.columns - 1, 0, heat.rows - 1]) + boxesOf(part, heat).map(box).join('');
}

/** How far within a column. */
function offsetTicks({ rows, seconds }, high) {
  const parts = [1, 0.75, 0.5, 0.25, 0].filter((part) => rows * high >= 200 || part * 2 % 1 === 0);
  const y = parts.map((part) => Math.min(Math.max(FOOT + part * rows * high, FOOT + 5), FOOT + rows * high - 6));
  const text = parts.map((part) => (seconds >= 2 ? `${Number((part * seconds).toPrecision(3))} s` : `${Math.round(part * seconds * 1000)} ms`));
  return { x: parts.map(() => 0), y, text };
}

/** When a column begins. */
function timeTicks(heat, wide) {
  const { columns, rows } = heat;
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600].find((each) => each * wide >= 48) ?? columns;
  const at = Array.from({ length: Math.ceil(columns / step) }, (_, index) => index * step);
  return { x: at.map((column) => AXIS + column * wide + 1), y: at.map(() => FOOT / 2), text: at.map((column) => `${Number(cellTime(column * rows, heat).toPrecision(6))} s`), textposition: at.map(() => 'middle right') };
}

/**
 * @param {import('./decode.js').Samples} samples @param {any} page
 * @param {(facet: string, values: string[] | null) => void} keepOnly
 */
export function startHeatmap(samples, page, keepOnly) {
  const facet = timeFacet(samples);
  if (facet < 0) return;
  const { name, heat } = /** @type {{name: string, heat: Heat}} */ (samples.facets[facet]);
  let event = page.state.event;
  let cells = heatCells(samples, facet, event);
  const field = byId('heat-field');
  byId('heat').hidden = false;
  const chosen = () => readPart(page.state.keep[name]?.[0], heat);
  const cellAt = (event) => {
    const box = field.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left - AXIS) / (box.width - AXIS)) * heat.columns);
    const row = heat.rows - 1 - Math.floor((event.clientY - box.top) / cellHeight(heat));
    return clampTo(column, heat.columns) * heat.rows + clampTo(row, heat.rows);
  };
  const say = (text) => { byId('heat-text').textContent = text; };
  let drawn = '';
  const draw = (part) => {
    if (event !== page.state.event) cells = heatCells(samples, facet, (event = page.state.event));
    field.style.height = `${FOOT + heat.rows * cellHeight(heat)}px`;
    field.style.minWidth = `${AXIS + heat.columns * FEWEST_PIXELS}px`;
    say(spoken(part, cells, heat, page.unit));
    byId('heat-all').disabled = !part;
    const width = Math.max(120, field.clientWidth);
    byId('heat-veil').setAttribute('d', veilPath(part, heat, width));
    // Every zoom of the graph comes here, too.
    const look = `${width} ${page.theme} ${event}`;
    if (drawn === look) return undefined;
    drawn = look;
    return drawFigure(byId('heat-plot'), heatFigure(cells, heat, width, page.theme));
  };
  const choose = (part) => keepOnly(name, part ? [partText(part)] : null);
  page.drawHeat = () => (byId('heat').open ? draw(chosen()) : undefined);
  if (chosen() || page.options.timesFirst) byId('heat').open = true;
  // The map must not jump when a first part is chosen, and what is changed is told above it.
  if (page.options.timesFirst) byId('edits').classList.add('kept');
  byId('heat-all').onclick = () => choose(null);
  byId('heat').ontoggle = () => draw(chosen());
  const look = (cell) => say(cell === null ? spoken(chosen(), cells, heat, page.unit) : `${sayPart({ from: cell, to: cell, box: false }, heat)}: ${formatWeight(cells[cell], page.unit)}`);
  listenToCells(field, cellAt, draw, choose, look);
  field.onkeydown = (event) => onHeatKey(event, chosen(), heat, choose);
}

const clampTo = (value, count) => Math.min(Math.max(0, value), count - 1);

/** @param {Part | null} part @param {Heat} heat */
function spoken(part, cells, heat, unit) {
  if (!part) return 'all of the time; drag from a moment to a later one to see only what was between, with Shift a part of every column';
  const inside = holds(part, heat);
  const sum = cells.reduce((all, weight, cell) => (inside(cell) ? all + weight : all), 0);
  return `${sayPart(part, heat)}: ${formatWeight(sum, unit)}`;
}

function listenToCells(field, cellAt, draw, choose, look) {
  /** @type {{at: number, box: boolean} | null} */
  let begun = null;
  let waiting = 0;
  const partTo = (event) => {
    const [at, to] = [/** @type {{at: number}} */ (begun).at, cellAt(event)];
    return begun?.box ? { from: at, to, box: true } : { from: Math.min(at, to), to: Math.max(at, to), box: false };
  };
  field.onpointerdown = (event) => { begun = { at: cellAt(event), box: event.shiftKey || byId('heat-box').checked }; field.setPointerCapture(event.pointerId); };
  field.onpointermove = (event) => {
    if (!begun) { look(cellAt(event)); return; }
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { if (begun) draw(partTo(event)); });
  };
  field.onpointerup = (event) => { if (begun) choose(partTo(event)); begun = null; };
  field.onpointercancel = () => { begun = null; };
  field.onpointerleave = () => { if (!begun) look(null); };
}

/** Arrows move the part by its own length or by a row; with Shift they make it longer or shorter. */
function onHeatKey(event, part, heat, choose) {
  const [columns, rows] = [{ ArrowRight: 1, ArrowLeft: -1 }[event.key], { ArrowUp: 1, ArrowDown: -1 }[event.key]];
  if (event.key === 'Escape' && part) choose(null);
  else if (!columns && !rows) return;
  else if (!part) choose({ from: 0, to: heat.rows - 1, box: false });
  else choose(moved(part, event.shiftKey && columns ? { longer: columns } : { columns, rows }, heat));
  event.preventDefault();
  event.stopPropagation();
}
