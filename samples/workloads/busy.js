// JavaScript that V8 compiles at several tiers. Run: node --perf-basic-prof busy.js CPU_SECONDS
'use strict';

const { createHash } = require('node:crypto');

class Vector {
  constructor(x, y) { this.x = x; this.y = y; }
  get norm() { return Math.sqrt(this.x * this.x + this.y * this.y); }
  static sum(vectors) { return vectors.reduce((a, b) => new Vector(a.x + b.x, a.y + b.y), new Vector(0, 0)); }
}

function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

const strip = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function round(i) {
  const vectors = Array.from({ length: 500 }, (_, k) => new Vector(k, i));
  vectors.sort((a, b) => b.norm - a.norm);
  const page = strip(JSON.stringify(vectors.slice(0, 50)) + '<a href="x">&</a>'.repeat(20));
  return Vector.sum(vectors).norm + fib(15) + createHash('sha256').update(page).digest()[0];
}

const seconds = Number(process.argv[2] || 1);
let total = 0;
for (let i = 0; process.cpuUsage().user < seconds * 1e6; i++) total += round(i);
console.log(total);
