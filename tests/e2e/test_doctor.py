"""kprof doctor on this host, as root and as nobody."""

import json
import os
import shutil
import subprocess
import sys

import pytest

KPROF = [sys.executable, "-m", "kprof"]


def doctor(*arguments, before=(), **variables):
    done = subprocess.run(
        [*before, *KPROF, "doctor", *arguments], capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **variables},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_verdicts_agree_with_what_records(tmp_path):
    done = doctor("--json")
    found = json.loads(done.stdout)
    assert {finding["topic"] for finding in found["findings"]} == {"kernel", "settings", "tools", "binaries"}
    engines = {engine["name"]: engine for engine in found["engines"]}
    assert list(engines) == ["perf", "libbpf", "bpftrace", "bcc"]
    assert all(engine["works"] or engine["mend"] for engine in engines.values())
    recorded = {}
    for name, backend in (("perf", "perf"), ("libbpf", "bpf")):
        command = [
            *KPROF,
            "record",
            "--backend",
            backend,
            "-q",
            "-o",
            "-",
            "--",
            "sh",
            "-c",
            "for i in $(seq 20000); do :; done",
        ]
        recorded[name] = (
            subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode == 0
        )
        assert engines[name]["works"] == recorded[name], engines[name]
    assert found["can_record"] == any(recorded.values())
    assert done.returncode == (0 if any(recorded.values()) else 3)


def test_what_a_person_reads():
    done = doctor("--pid", str(os.getpid()))
    for line in ("Kernel", "Settings", "Tools", "Binaries", "What records here"):
        assert line in done.stdout.splitlines()
    assert "\x1b" not in done.stdout
    assert "frames of libc" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_exit_3_where_nothing_records(tmp_path):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("takes capabilities away, which needs root")
    nobody = [shutil.which("setpriv"), "--bounding-set=-all", "--inh-caps=-all"]
    # No perf on PATH, and no right to load programs.
    done = doctor(before=nobody, PATH=str(tmp_path))
    assert done.returncode == 3, done.stdout
    assert "Nothing records here" in done.stdout
    assert "install it: " in done.stdout


def test_a_binary_that_is_none():
    done = doctor("--binary", __file__)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
