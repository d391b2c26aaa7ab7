// Light or dark: as the reader chose last, else as the page's maker, else as the system.
const KEY = 'kflame-theme';

/** @returns {string | null} */
function remembered() {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : null;
  } catch {
    // A frame without an origin has no storage.
    return null;
  }
}

/** @param {string} asked "auto", "light" or "dark" @param {(theme: string) => void} changed */
export function followTheme(asked, changed) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const now = () => remembered() ?? (asked === 'auto' ? (system.matches ? 'dark' : 'light') : asked);
  system.addEventListener('change', () => changed(now()));
  changed(now());
}

/** @param {string} theme */
export function rememberTheme(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch { /* then it lasts as long as the page */ }
}
