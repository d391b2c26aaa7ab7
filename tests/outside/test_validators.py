"""Programs that are not ours read what kprof writes.

Skipped where they are missing. Go's pprof is compiled from Debian's golang-github-google-pprof-dev; programs of
npm are looked for in the folder that KPROF_NODE_MODULES names; `npm install pprof-format speedscope ajv node@24
@firefox-devtools/profiler-cli` fills it.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kprof.analysis.top import top
from kprof.exporters import firefox, pprof, speedscope
from kprof.model import Filter
from kprof.model.events import pick_event
from kprof.pipeline import Choice, read
from kprof.readers import ReadOptions

ROOT = Path(__file__).parents[2]
GO_SOURCES = Path("/usr/share/gocode")
NODE_MODULES = os.environ.get("KPROF_NODE_MODULES", "")
NAMES = ("kernel-io", "multi-event", "cpp-inlines")
MICROSECOND = 1000
DECODE = """
const {Profile} = require('pprof-format'), fs = require('fs'), zlib = require('zlib');
const profile = Profile.decode(zlib.gunzipSync(fs.readFileSync(process.argv[1])));
const text = (row) => profile.stringTable.strings[Number(row)];
const sums = profile.sampleType.map(() => 0n);
for (const sample of profile.sample) sample.value.forEach((value, i) => { sums[i] += BigInt(value); });
console.log(JSON.stringify({
  types: profile.sampleType.map((type) => [text(type.type), text(type.unit)]),
  sums: sums.map(String), unset: Number(profile.defaultSampleType),
  buildIds: profile.mapping.map((mapping) => text(mapping.buildId)),
}));
"""
SCHEMA = """
const Ajv = require('ajv'), fs = require('fs');
const validate = new Ajv({strict: false}).compile(JSON.parse(fs.readFileSync(process.argv[1])));
if (!validate(JSON.parse(fs.readFileSync(process.argv[2])))) throw new Error(JSON.stringify(validate.errors));
"""


def recorded(name):
    choice = Choice(ReadOptions(addresses=True), source_lines=True, every_event=True)
    return read([str(ROOT / "samples" / f"{name}.perf.data.gz")], choice)


def output(*command, **options):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=True, **options
    ).stdout


def node(script, *args):
    if not NODE_MODULES or not shutil.which("node"):
        pytest.skip("needs node and KPROF_NODE_MODULES")
    return output("node", "-e", script, "--", *args, env={**os.environ, "NODE_PATH": NODE_MODULES})


@pytest.fixture(scope="session")
def go_pprof(tmp_path_factory):
    if not shutil.which("go") or not (GO_SOURCES / "src/github.com/google/pprof").is_dir():
        pytest.skip("needs golang-go and golang-github-google-pprof-dev")
    program = tmp_path_factory.mktemp("go") / "pprof"
    env = {**os.environ, "GOPATH": str(GO_SOURCES), "GO111MODULE": "off", "GOFLAGS": ""}
    output("go", "build", "-o", program, "github.com/google/pprof", env=env)
    return program


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_go_pprof_has_the_same_totals(go_pprof, name, tmp_path):
    profile, path = recorded(name), tmp_path / "out.pb.gz"
    path.write_bytes(pprof.render(profile))
    for event in profile.meta.events:
        picked = pick_event(profile, event.name)
        unit = ["-unit=ns"] if event.unit == "ns" else []
        text = output(
            go_pprof, "-top", "-nodecount=0", "-nodefraction=0", "-edgefraction=0",
            f"-sample_index={event.name}", *unit, path,
        )  # fmt: skip
        found = re.findall(
            r"^ *(\d+)\w* +\S+% +\S+% +(\d+)\w* +\S+% +(.+?)(?: \(inline\))?$", text, re.MULTILINE
        )
        theirs = {}
        for own, total, function in found:
            sums = theirs.setdefault(function, [0, 0])
            sums[0] += int(own)
            sums[1] += int(total)
        table = top(picked)
        names = table.columns["function"].tolist()
        ours = {row["function"]: row for row in table.rows() if names.count(row["function"]) == 1}
        same = set(ours) & set(theirs)
        assert len(same) > len(ours) / 2
        for function in same:
            assert [ours[function]["self"], ours[function]["total"]] == theirs[function], function


@pytest.mark.parametrize("name", NAMES)
def test_npm_pprof_format_has_the_same_sums(name, tmp_path):
    profile, path = recorded(name), tmp_path / "out.pb.gz"
    path.write_bytes(pprof.render(profile))
    found = json.loads(node(DECODE, path))
    assert found["unset"] == 0
    sums = [
        total
        for event in profile.meta.events
        for total in (
            int(pick_event(profile, event.name).samples.count.sum()), pick_event(profile, event.name).total,
        )
    ]  # fmt: skip
    assert list(map(int, found["sums"])) == sums
    assert found["buildIds"] == list(profile.mappings.build_id)


@pytest.mark.parametrize("name", NAMES)
def test_speedscope_s_schema_holds(name, tmp_path):
    path = tmp_path / "out.speedscope.json"
    path.write_bytes(speedscope.render(recorded(name)))
    node(SCHEMA, Path(NODE_MODULES) / "speedscope/dist/release/file-format-schema.json", path)


@pytest.fixture
def firefox_cli(tmp_path):
    """Runs Firefox Profiler's own command line, which needs node 24: `npm install node@24` brings one."""
    own = Path(NODE_MODULES or "/nowhere")
    program, runs = own / "@firefox-devtools/profiler-cli/dist/profiler-cli.js", own / "node/bin/node"
    if not (program.is_file() and runs.is_file()):
        pytest.skip("needs @firefox-devtools/profiler-cli and node@24 in KPROF_NODE_MODULES")
    env = {**os.environ, "HOME": str(tmp_path)}
    yield lambda *args: output(runs, program, *args, env=env, timeout=60)
    subprocess.run([runs, program, "stop"], env=env, check=False, capture_output=True, timeout=60)


@pytest.mark.slow
def test_the_firefox_profiler_has_the_same_totals(firefox_cli, tmp_path):
    # As text, which has the kernel's names on every machine.
    text, path = ROOT / "samples/kernel-io.perf-script.txt.gz", tmp_path / "out.firefox.json"
    profile = read([str(text)], Choice(ReadOptions(every_sample=True)))
    path.write_bytes(firefox.render(profile))
    firefox_cli("load", path)
    text = firefox_cli("thread", "samples")
    found = dict(re.findall(r"^ *f-\d+\. \S+?!(\S+) - total: ([\d.]+)ms", text, re.MULTILINE))
    assert len(found) > 20
    ours = {row["function"]: row["total"] for row in top(Filter(comms=["smallio"]).apply(profile)).rows()}
    for function, milliseconds in found.items():
        assert f"{ours[function] / 1e6:.5g}" == f"{float(milliseconds):.5g}", function
