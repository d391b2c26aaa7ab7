"""Which engine works, from what trying it said."""

import pytest

from kprof.errors import NotAvailableError
from kprof.survey import engines as module
from kprof.survey.doctor import Diagnosis
from kprof.survey.engines import HOOKS, engines
from kprof.system.packages import install_command
from kprof.system.permissions import Permissions
from kprof.system.process import Result

ROOT = Permissions(capabilities=frozenset({"CAP_SYS_ADMIN"}))


def refuse(event):
    raise NotAvailableError(f"{event} is refused", "mend it")


def allow(event):
    return None


@pytest.fixture
def survey(monkeypatch):
    def survey(allowed=ROOT, *, perf=allow, bpf=allow, run=None, tools=True, bcc="0.1"):
        answer = run or (lambda *_, **__: Result(0, "loaded\n", ""))
        monkeypatch.setattr(module, "run", answer)
        monkeypatch.setattr(module, "find_program", lambda name: f"/bin/{name}" if tools else None)
        monkeypatch.setattr(module, "bcc_version", lambda: bcc)
        return {engine.name: engine for engine in engines(allowed, try_perf=perf, try_bpf=bpf)}

    return survey


def test_all_work(survey):
    found = survey()
    assert [engine.works for engine in found.values()] == [True] * 4
    assert not any(engine.mend for engine in found.values())


def test_nothing_works(survey):
    found = survey(perf=refuse, bpf=refuse, tools=False, bcc="")
    assert not any(engine.works for engine in found.values())
    assert all(engine.mend for engine in found.values())
    assert not Diagnosis([], list(found.values())).can_record


def test_engines_that_record_does_not_drive_do_not_count(survey):
    found = survey(perf=refuse, bpf=refuse)
    assert found["bpftrace"].works
    assert not Diagnosis([], list(found.values())).can_record


@pytest.mark.parametrize(
    ("paranoid", "scope"),
    [(2, "user code of own processes only"), (1, "own processes only"), (0, "the whole host too")],
)
def test_how_far_perf_reaches(survey, paranoid, scope):
    assert survey(Permissions(paranoid))["perf"].proof == f"recorded a command; {scope}"


def test_perf_that_aborts_is_tried_again(survey):
    tries = []

    def once(event):
        tries.append(event)
        if len(tries) == 1:
            raise NotAvailableError("perf failed: assertion failed at util/build-id.c:1010")

    assert survey(perf=once)["perf"].works
    assert len(tries) == 2


def test_kinds_of_hooks_that_are_refused(survey):
    def some(event):
        if event.startswith(("kprobe", "fentry")):
            refuse(event)

    found = survey(bpf=some)["libbpf"]
    assert found.works
    assert (
        found.proof
        == "loaded and attached: samples, tracepoints, raw tracepoints, uprobe; refused: kprobe, fentry"
    )
    assert found.mend == "kprobe: mend it; fentry: mend it"
    assert set(HOOKS) == {"samples", "tracepoints", "raw tracepoints", "kprobe", "fentry", "uprobe"}


def test_the_line_that_says_most(survey):
    said = "Traceback:\n  File x\nmodprobe: FATAL: no kheaders\nException: Failed to compile\n"
    found = survey(run=lambda *_, **__: Result(1, "", said))["bcc"]
    assert not found.works
    assert "headers" in found.proof


def test_a_program_that_hangs(survey):
    def hang(*_, **__):
        raise NotAvailableError("bpftrace did not end within 60 s")

    assert "did not end" in survey(run=hang)["bpftrace"].proof


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=debian\n", "apt-get install bpftrace"),
        ('ID=pop\nID_LIKE="ubuntu debian"\n', "apt-get install bpftrace"),
        ("ID=fedora\n", "dnf install bpftrace"),
        ("ID=arch\n", "pacman -S bpftrace"),
        ("ID=unheard-of\n", ""),
    ],
)
def test_how_a_tool_is_installed(tmp_path, release, command):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(release)
    assert install_command("bpftrace", str(tmp_path)) == command
    assert install_command("unheard-of", str(tmp_path)) == ""
