// all -> a(100) -> b(60) -> b(20); a -> c(30); d(50), written as the encoder would
import { decodeTree } from '../../../../flamegraph/assets/decode.js';

export const LABELS = { name: ['all', 'a', 'b', 'c', 'd'], source: [], modules: [''], module: [0, 0, 0, 0, 0], schemes: {} };

export function sampleTree() {
  const fall = [0, 0, 0, 0, 2, 2];
  const label = [0, 1, 2, 2, 3, 4];
  const self = [0, 10, 40, 20, 30, 50];
  const meta = { nodes: 6, columns: [6, 6, 6], total: '150' };
  return decodeTree(new Uint8Array([...fall, ...label, ...self]), meta, LABELS);
}
