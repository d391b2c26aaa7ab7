const SCALES = {
  ns: [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']],
  bytes: [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB'], [1, 'bytes']],
};

/**
 * @param {number} weight @param {string} unit "ns" and "bytes" are scaled, anything else is counted
 * @param {string} [exact] the weight in decimal, where it is known beyond 2^53
 */
export function formatWeight(weight, unit, exact) {
  const scales = Object.hasOwn(SCALES, unit) ? SCALES[unit] : null;
  const scale = scales && (scales.find(([size]) => weight >= size) || scales[scales.length - 1]);
  if (scale && scale[0] > 1) {
    const value = (weight / scale[0]).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return `${value} ${scale[1]}`;
  }
  // Past 2^53 a number of JavaScript skips integers: say so rather than show wrong digits.
  const about = exact === undefined && weight > Number.MAX_SAFE_INTEGER ? '≈ ' : '';
  const digits = exact === undefined ? weight.toLocaleString('en-US') : BigInt(exact).toLocaleString('en-US');
  return `${about}${digits} ${scale ? scale[1] : unit}`;
}

/** @param {number} part @param {number} whole @returns {string} percent */
export function formatShare(part, whole) {
  const share = whole ? (100 * part) / whole : 0;
  if (share > 0 && share < 0.001) return '<0.001%';
  return `${share.toFixed(share > 0 && share < 0.1 ? 3 : 2)}%`;
}

/** @param {number} change of a share @returns {string} in points of percent, with its sign */
export function formatPoints(change) {
  const points = 100 * change;
  return `${points > 0 ? '+' : points < 0 ? '−' : '±'}${Math.abs(points).toFixed(2)} points`;
}

/** Keeps a name on one line. @param {string} name */
export function oneLine(name) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return name.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]/g, ' ');
}

/** Plotly reads text as a kind of HTML, and what stands between two `$` as a formula: makes it plain. */
export function plotlyText(name) {
  return oneLine(name).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\$/g, '&#36;');
}

/** @param {string} name @param {number} room characters there are */
export function clip(name, room) {
  return name.length <= room ? name : `${name.slice(0, room - 1)}…`;
}
