// Wheel, drag and pinch: what part of the zoomed frame is seen.
import { WHOLE } from './layout.js';

const NARROWEST = 1e-9;
const DRAG = 5;
const LONG_PRESS = 550;

/**
 * @param {import('./layout.js').Span} span @param {number} at the point that stays, as part of what is seen
 * @param {number} factor how much wider the span becomes @returns {import('./layout.js').Span}
 */
export function zoomSpan([from, to], at, factor) {
  const wide = Math.min(1, Math.max(NARROWEST, (to - from) * factor));
  const point = from + (to - from) * at;
  return within(point - wide * at, wide);
}

/** @param {import('./layout.js').Span} span @param {number} by part of what is seen @returns {import('./layout.js').Span} */
export function panSpan([from, to], by) {
  return within(from + (to - from) * by, to - from);
}

/** @returns {import('./layout.js').Span} */
function within(from, wide) {
  if (wide >= 1) return WHOLE;
  const start = Math.min(Math.max(0, from), 1 - wide);
  return [start, start + wide];
}

/** @param {import('./layout.js').Span} span */
export const isWhole = ([from, to]) => from <= 0 && to >= 1;

/**
 * @typedef {Object} Hooks
 * @property {() => import('./layout.js').Span} span
 * @property {(span: import('./layout.js').Span) => void} look
 * @property {(event: PointerEvent) => void} menu a finger rested
 */

/** @param {HTMLElement} stage @param {HTMLElement} canvas @param {Hooks} hooks */
export function listenToGestures(stage, canvas, hooks) {
  const part = (x) => (x - canvas.getBoundingClientRect().left) / Math.max(1, canvas.clientWidth);
  stage.addEventListener('wheel', (event) => onWheel(event, part(event.clientX), canvas, hooks), { passive: false });
  listenToPointers(canvas, part, hooks);
}

function onWheel(event, at, canvas, hooks) {
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    hooks.look(zoomSpan(hooks.span(), at, Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 150)));
    return;
  }
  const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  if (!sideways || isWhole(hooks.span())) return;
  event.preventDefault();
  hooks.look(panSpan(hooks.span(), sideways / Math.max(1, canvas.clientWidth)));
}

function listenToPointers(canvas, part, hooks) {
  const down = new Map();
  let dragged = false;
  let resting;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    if (!down.size) dragged = false;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY, startX: event.clientX });
    clearTimeout(resting);
    if (event.pointerType === 'touch' && down.size === 1) {
      resting = setTimeout(() => { dragged = true; hooks.menu(event); }, LONG_PRESS);
    }
  });
  canvas.addEventListener('pointermove', (event) => {
    const held = down.get(event.pointerId);
    if (!held) return;
    if (Math.abs(event.clientX - held.startX) > DRAG) dragged = true;
    if (dragged) clearTimeout(resting);
    if (down.size === 2) pinch(down, event, part, hooks);
    else if (dragged && !isWhole(hooks.span())) hooks.look(panSpan(hooks.span(), (held.x - event.clientX) / Math.max(1, canvas.clientWidth)));
    Object.assign(held, { x: event.clientX, y: event.clientY });
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) {
    canvas.addEventListener(end, (event) => { clearTimeout(resting); down.delete(/** @type {PointerEvent} */ (event).pointerId); });
  }
  // The click that ends a drag is none.
  canvas.addEventListener('click', (event) => { if (dragged) event.stopImmediatePropagation(); dragged = false; }, true);
}

function pinch(down, event, part, hooks) {
  const held = down.get(event.pointerId);
  const [rest] = [...down.entries()].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
  const before = Math.abs(held.x - rest.x);
  const after = Math.abs(event.clientX - rest.x);
  if (before > 8 && after > 8) hooks.look(zoomSpan(hooks.span(), part((event.clientX + rest.x) / 2), before / after));
}
