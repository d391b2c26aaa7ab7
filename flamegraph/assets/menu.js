// What can be done with a frame.
import { byId } from './chrome.js';
import { oneLine } from './format.js';
import { element } from './tip.js';

/**
 * @param {string} name of the function
 * @param {[string, string, () => void][]} entries text, key, what it does
 * @param {{x: number, y: number}} place
 */
export function openMenu(name, entries, { x, y }) {
  const menu = byId('menu');
  const items = entries.map(([text, key, act]) => {
    const item = element('button', text);
    item.setAttribute('role', 'menuitem');
    if (key) item.append(element('kbd', key));
    item.onclick = () => { closeMenu(); act(); };
    return item;
  });
  menu.replaceChildren(element('div', oneLine(name).slice(0, 300), 'name'), ...items);
  menu.hidden = false;
  const { clientWidth, clientHeight } = document.documentElement;
  menu.style.left = `${Math.max(4, Math.min(x, clientWidth - menu.offsetWidth - 6))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, clientHeight - menu.offsetHeight - 6))}px`;
  items[0]?.focus();
}

export function closeMenu() {
  byId('menu').hidden = true;
}

/** @param {KeyboardEvent} event @returns {boolean} whether the menu took the key */
export function menuKey(event) {
  const menu = byId('menu');
  if (menu.hidden) return false;
  const items = [...menu.querySelectorAll('button')];
  const at = items.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  if (event.key === 'Escape') closeMenu();
  else if (event.key === 'ArrowDown') items[(at + 1) % items.length].focus();
  else if (event.key === 'ArrowUp') items[(at + items.length - 1) % items.length].focus();
  else return event.key === 'Enter' || event.key === ' ';
  event.preventDefault();
  return true;
}
