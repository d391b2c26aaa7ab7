// What takes long on a large tree, off the page's thread: the page's own script, started as a worker.
import { bookOf, decodeColumns, decodeSamples, inflate } from './decode.js';
import { bookIn, derive } from './derive.js';

/** Trees of fewer nodes are dealt with at once: starting a worker takes longer. */
const SMALL = 150_000;

/** Work by name: takes and returns what can be posted. */
const TASKS = {
  /** @param {{columns: string, labels: string, meta: any, samples: string}} packed */
  async load({ columns, labels, meta, samples }) {
    const [bytes, text, rows] = await Promise.all([inflate(columns), inflate(labels), samples ? inflate(samples) : null]);
    return {
      columns: decodeColumns(bytes, meta.tree),
      labels: JSON.parse(new TextDecoder().decode(text)),
      samples: rows && decodeSamples(rows, meta.samples),
    };
  },
  async derive({ tree, settings, samples }) {
    return derive(tree, settings, samples);
  },
};

/** Serves as a worker: one task, one answer. */
export function serve() {
  globalThis.onmessage = async ({ data: { name, input } }) => {
    globalThis.postMessage(await TASKS[name](input));
  };
}

/** @param {string} name @param {any} input @param {number} nodes @returns {Promise<any>} */
async function run(name, input, nodes) {
  if (nodes < SMALL) return TASKS[name](input);
  try {
    return await inWorker(name, input);
  } catch {
    // Some hosts of pages allow no worker; it is slower then, not impossible.
    return TASKS[name](input);
  }
}

function inWorker(name, input) {
  const source = document.getElementById('kf-script')?.textContent ?? '';
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(address);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.onmessageerror = reject;
    worker.postMessage({ name, input });
  }).finally(() => {
    worker.terminate();
    URL.revokeObjectURL(address);
  });
}

/**
 * @param {{columns: string, labels: string, samples: string, meta: any}} packed
 * @returns {Promise<{tree: import('./decode.js').Tree, samples: import('./decode.js').Samples | null}>}
 */
export async function load(packed) {
  const { columns, labels, samples } = await run('load', packed, packed.meta.tree.nodes);
  return { tree: { ...columns, ...bookOf(labels), counts: packed.meta.counts }, samples };
}

/**
 * @param {import('./decode.js').Tree} tree @param {import('./derive.js').Settings} settings
 * @param {import('./decode.js').Samples | null} samples
 * @returns {Promise<import('./decode.js').Tree>}
 */
export async function rederive(tree, settings, samples) {
  return { ...bookIn(tree), ...(await run('derive', { tree, settings, samples }, tree.n)), swapped: Boolean(settings.swap), counts: tree.counts };
}
