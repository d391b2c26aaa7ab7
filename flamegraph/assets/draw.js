import { THEMES, textOn } from './colors.js';
import { clip, plotlyText } from './format.js';
import { FIELDS } from './layout.js';

export const ROW = 18;
export const FONT_SIZE = 12;
export const FONT = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
const FEWEST_CHARACTERS = 3;
const CONFIG = { staticPlot: true, displayModeBar: false, showSendToCloud: false, displaylogo: false };

let measured = 0;

/** @returns {number} pixels that a character of a box takes */
export function characterWidth() {
  if (measured) return measured;
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
  context.font = `${FONT_SIZE}px ${FONT}`;
  return (measured = context.measureText('M'.repeat(50)).width / 50);
}

/**
 * @typedef {Object} View What to draw.
 * @property {import('./decode.js').Tree} tree
 * @property {number[][]} rows from layoutRows
 * @property {number} first @property {number} last rows to draw, last excluded
 * @property {number} width @property {boolean} icicle @property {string} theme @property {number} zoom
 * @property {import('./colors.js').Colors} colors
 * @property {Uint8Array | null} matches by label
 * @property {number[][]} hidden from narrowMatches
 * @property {number} character pixels a character takes
 */

/**
 * One path a colour class and one text trace: what Plotly draws fastest.
 * @param {View} view @returns {{data: Object[], layout: Object}}
 */
export function figureOf(view) {
  const theme = THEMES[view.theme];
  const paths = new Map();
  // Drawn last, for they lie on fillers.
  const marks = new Map();
  const strong = { x: [], y: [], text: [] };
  const faded = { x: [], y: [], text: [] };
  for (let depth = view.first; depth < view.last; depth++) {
    const row = view.rows[depth] ?? [];
    const line = lineAt(depth);
    for (let k = 0; k < row.length; k += FIELDS) {
      const look = lookOf(view, theme, row[k], depth);
      addPath(paths, look, row[k + 1], row[k + 2], line);
      if (row[k] >= 0) addLabel(view, look.opacity < 1 ? faded : strong, row[k], row[k + 1], row[k + 2], depth);
    }
    const places = view.hidden[depth] || [];
    for (let k = 0; k < places.length; k += 2) addPath(marks, { fill: theme.match, opacity: 1 }, places[k], Math.max(places[k + 1], 1), line);
  }
  const shades = [...paths.values(), ...marks.values()].flatMap((each) => [...each.values()]);
  const shapes = shades.map(({ look, parts }) => ({
    type: 'path', path: parts.join(''), fillcolor: look.fill, opacity: look.opacity, line: { width: 0 }, layer: 'below',
  }));
  return { data: [textTrace(strong, textOn(view.theme, false)), textTrace(faded, textOn(view.theme, true))],
    layout: layoutOf(view, theme, shapes) };
}

function lookOf(view, theme, node, depth) {
  if (node < 0) return { fill: theme.filler, opacity: view.matches ? 0.6 : 1 };
  const label = view.tree.label[node];
  if (view.matches?.[label] && node) return { fill: theme.match, opacity: 1 };
  const fill = view.colors.fills[view.colors.classOf(node)];
  if (depth < view.tree.depth[view.zoom]) return { fill, opacity: theme.ancestor };
  return { fill, opacity: view.matches ? theme.dimmed : 1 };
}

/** Upper and lower edge of the boxes of a depth, as paths have them. @param {number} depth */
function lineAt(depth) {
  return { top: (depth + 0.03).toFixed(2), bottom: (depth + 0.97).toFixed(2) };
}

/** @param {Map<string, Map<number, {look: {fill: string, opacity: number}, parts: string[]}>>} paths by fill and opacity */
function addPath(paths, look, left, width, { top, bottom }) {
  let shades = paths.get(look.fill);
  if (!shades) paths.set(look.fill, (shades = new Map()));
  let path = shades.get(look.opacity);
  if (!path) shades.set(look.opacity, (path = { look, parts: [] }));
  // A hair of ground between boxes tells them apart without a border.
  const right = Math.max(left + width - Math.min(1, width * 0.2), left + 0.4);
  const x = tenths(left);
  path.parts.push(`M${x} ${top}H${tenths(right)}V${bottom}H${x}Z`);
}

const tenths = (pixels) => Math.round(pixels * 10) / 10;

function addLabel(view, texts, node, left, width, depth) {
  const room = Math.floor((width - 6) / view.character);
  if (room < FEWEST_CHARACTERS) return;
  texts.x.push(left + 3);
  texts.y.push(depth + 0.5);
  texts.text.push(plotlyText(clip(view.tree.names[view.tree.label[node]], room)));
}

function textTrace({ x, y, text }, color) {
  return {
    type: 'scatter', mode: 'text', x, y, text, textposition: 'middle right', hoverinfo: 'skip', cliponaxis: true,
    textfont: { size: FONT_SIZE, family: FONT, color },
  };
}

function layoutOf(view, theme, shapes) {
  const range = view.icicle ? [view.last, view.first] : [view.first, view.last];
  return {
    width: view.width, height: (view.last - view.first) * ROW, margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    showlegend: false, hovermode: false, dragmode: false, paper_bgcolor: theme.ground, plot_bgcolor: theme.ground,
    xaxis: { range: [0, view.width], visible: false, fixedrange: true },
    yaxis: { range, visible: false, fixedrange: true }, shapes,
  };
}

/** @param {HTMLElement} target @param {View} view @returns {Promise<void>} */
export async function drawView(target, view) {
  await drawFigure(target, figureOf(view));
}

/** @param {HTMLElement} target @param {{data: Object[], layout: Object}} figure @returns {Promise<void>} */
export async function drawFigure(target, { data, layout }) {
  await plotly().react(target, data, layout, CONFIG);
}

/**
 * @param {View} view @param {string} format "svg" or "png" @param {string} heading
 * @returns {Promise<string>} a data URL of all rows of the view
 */
export async function pictureOf(view, format, heading) {
  const { data, layout } = figureOf({ ...view, first: 0, last: view.rows.length });
  const top = 34;
  const title = { text: plotlyText(heading), x: 0, xanchor: 'left', y: 1, yanchor: 'top', pad: { t: 8, l: 6 }, font: { size: 14, color: view.theme === 'dark' ? '#e6e8ec' : '#14161a' } };
  const size = { width: layout.width, height: layout.height + top };
  return plotly().toImage({ data, layout: { ...layout, ...size, title, margin: { ...layout.margin, t: top } }, config: CONFIG }, { format, ...size, scale: format === 'png' ? 2 : 1 });
}

/** @returns {any} the library, which has no types here */
function plotly() {
  return /** @type {any} */ (globalThis).Plotly;
}

/** @param {string} source the bundle, which defines the global Plotly */
export function startPlotly(source) {
  const script = document.createElement('script');
  script.textContent = source;
  document.head.append(script);
}
