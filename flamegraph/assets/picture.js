// The present view as a file.
import { announce } from './chrome.js';
import { pictureOf } from './draw.js';
import { oneLine } from './format.js';
import { page } from './page.js';

/** @param {string} format "svg" or "png" @returns {Promise<string>} a data URL of the graph as it is seen, rows out of sight too */
export function takePicture(format) {
  const graph = page.state.view === 'sandwich' ? page.callees : page.panes[0].graph;
  const { tree, zoom } = graph.look;
  const where = zoom || page.state.view === 'sandwich' ? ` — ${oneLine(tree.names[tree.label[zoom]])}` : '';
  const view = { ...graph.viewOf({ first: 0, last: graph.rows.length }), heading: '' };
  return pictureOf(view, format, document.title + where);
}

/** @param {string} format */
export async function savePicture(format) {
  const address = await takePicture(format);
  const link = document.createElement('a');
  link.href = address;
  link.download = `${document.title.replace(/[^\w.-]+/g, '-').slice(0, 80) || 'flame-graph'}.${format}`;
  link.click();
  announce(`saved as ${link.download}`, true);
}

/** Draws for paper while the browser prints. @param {() => void} restore */
export function listenToPrinting(restore) {
  // What fits on a sheet of A4, turned, at 96 pixels an inch.
  const paper = 1040;
  addEventListener('beforeprint', () => { for (const { graph } of page.panes) graph.drawForPaper(paper / page.panes.length); });
  addEventListener('afterprint', restore);
}
