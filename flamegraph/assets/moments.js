// Parts of the time: cells of the heat map, counted column by column, upwards within a column.

/**
 * @typedef {Object} Heat
 * @property {number} rows cells in a column @property {number} columns
 * @property {number} seconds that a column lasts @property {number} [before] columns that are left out at the start
 */

/**
 * @typedef {Object} Part Cells that are chosen.
 * @property {number} from first cell, or one corner @property {number} to last cell, or the corner across
 * @property {boolean} box a rectangle: the same offsets of several columns; else all between the two
 */

/** @param {Heat} heat @returns {number} */
export const cellCount = (heat) => heat.rows * heat.columns;

/** @param {Part} part @returns {string} as the address writes it */
export function partText({ from, to, box }) {
  return box ? `${from}x${to}` : `${Math.min(from, to)}-${Math.max(from, to)}`;
}

/** @param {string | undefined} text @param {Heat} heat @returns {Part | null} */
export function readPart(text, heat) {
  const [, one, sign, other] = /^(\d{1,9})([-x])(\d{1,9})$/.exec(text ?? '') ?? [];
  const [from, to, last] = [Number(one), Number(other), cellCount(heat) - 1];
  if (sign === 'x') return from <= last && to <= last ? { from, to, box: true } : null;
  return from <= to && from <= last ? { from, to: Math.min(to, last), box: false } : null;
}

/** @param {Part} part @param {Heat} heat */
function sidesOf({ from, to }, { rows }) {
  const [columns, offsets] = [[from, to].map((cell) => Math.floor(cell / rows)), [from % rows, to % rows]];
  return { left: Math.min(...columns), right: Math.max(...columns), low: Math.min(...offsets), high: Math.max(...offsets) };
}

/** @param {Part} part @param {Heat} heat @returns {(cell: number) => boolean} whether it holds a cell */
export function holds(part, heat) {
  if (!part.box) return (cell) => cell >= part.from && cell <= part.to;
  const { left, right, low, high } = sidesOf(part, heat);
  return (cell) => {
    const [column, row] = [Math.floor(cell / heat.rows), cell % heat.rows];
    return column >= left && column <= right && row >= low && row <= high;
  };
}

/** @param {Part} part @param {Heat} heat @returns {[number, number, number, number][]} what it covers, as boxes: first and last column, first and last row */
export function boxesOf(part, heat) {
  if (part.box) {
    const { left, right, low, high } = sidesOf(part, heat);
    return [[left, right, low, high]];
  }
  const [first, last, top] = [Math.floor(part.from / heat.rows), Math.floor(part.to / heat.rows), heat.rows - 1];
  if (first === last) return [[first, last, part.from % heat.rows, part.to % heat.rows]];
  /** @type {[number, number, number, number][]} */
  const between = last > first + 1 ? [[first + 1, last - 1, 0, top]] : [];
  return [[first, first, part.from % heat.rows, top], ...between, [last, last, 0, part.to % heat.rows]];
}

/** @param {Part} part @param {Heat} heat @returns {number[]} */
export function cellsOf(part, heat) {
  const inside = holds(part, heat);
  return Array.from({ length: cellCount(heat) }, (_, cell) => cell).filter(inside);
}

/** @param {number} cell @param {Heat} heat @returns {number} when it begins, in seconds */
export function cellTime(cell, heat) {
  return ((cell + (heat.before ?? 0) * heat.rows) * heat.seconds) / heat.rows;
}

/** @param {Part} part @param {Heat} heat @returns {string} */
export function sayPart(part, heat) {
  const exact = (seconds) => `${seconds.toFixed(heat.seconds / heat.rows < 0.01 ? 3 : 2)} s`;
  const say = (cell) => exact(cellTime(cell, heat));
  const offset = (row) => exact((row * heat.seconds) / heat.rows);
  if (!part.box) return `${say(part.from)} to ${say(part.to + 1)}`;
  const { left, right, low, high } = sidesOf(part, heat);
  const offsets = `${offset(low)} to ${offset(high + 1)} of each ${heat.seconds === 1 ? 'second' : `${heat.seconds} s`}`;
  return left === 0 && right === heat.columns - 1 ? offsets : `${offsets}, ${say(left * heat.rows)} to ${say((right + 1) * heat.rows)}`;
}

/** @param {Part} part @param {{columns?: number, rows?: number, longer?: number}} by @param {Heat} heat @returns {Part} moved, as far as there is room */
export function moved(part, by, heat) {
  const last = cellCount(heat) - 1;
  if (by.longer) {
    const step = by.longer * heat.rows;
    const far = part.to + step;
    const least = part.box ? part.from - (part.from % heat.rows) + (part.to % heat.rows) : part.from + heat.rows - 1;
    return { ...part, to: Math.min(part.box ? last - (last - part.to) % heat.rows : last, Math.max(least, far)) };
  }
  const step = part.box ? (by.columns ?? 0) * heat.rows + (by.rows ?? 0) : (by.columns ?? 0) * (part.to - part.from + 1) + (by.rows ?? 0);
  if (!part.box) {
    const shift = Math.max(-part.from, Math.min(last - part.to, step));
    return { ...part, from: part.from + shift, to: part.to + shift };
  }
  const { left, right, low, high } = sidesOf(part, heat);
  const fits = left + (by.columns ?? 0) >= 0 && right + (by.columns ?? 0) < heat.columns && low + (by.rows ?? 0) >= 0 && high + (by.rows ?? 0) < heat.rows;
  return fits ? { ...part, from: part.from + step, to: part.to + step } : part;
}
