/** What is not a colour of code: the page around the boxes. */
export const THEMES = {
  light: { ground: '#ffffff', text: '#14161a', filler: '#d9dbe0', match: '#c86bfa', dimmed: 0.32, ancestor: 0.5 },
  dark: { ground: '#16181d', text: '#14161a', filler: '#3d424c', match: '#cf7dff', dimmed: 0.3, ancestor: 0.5 },
};

/**
 * @param {import('./decode.js').Tree} tree @param {string} color name of a scheme @param {string} theme
 * @returns {{of: number[], fills: string[], legend: {text: string, fill: string}[]}}
 */
export function colorsOf(tree, color, theme) {
  const scheme = tree.schemes[color];
  const fills = scheme[theme];
  return { of: scheme.of, fills, legend: scheme.legend.map(([text, at]) => ({ text, fill: fills[at] })) };
}

/** Dark text needs a light ground: a faded box on a dark page takes light text. */
export function textOn(theme, faded) {
  return faded && theme === 'dark' ? '#e6e8ec' : THEMES[theme].text;
}
