"""Which engine works, from what trying it said."""

import pytest

from kprof.errors import NotAvailableError
from kprof.survey.doctor import Diagnosis
from kprof.survey.engines import HOOKS, engines
from kprof.system.packages import install_command
from kprof.system.permissions import Permissions

ROOT = Permissions(capabilities=frozenset({"CAP_SYS_ADMIN"}))


def refuse(event, engine="libbpf"):
    raise NotAvailableError(f"{event} is refused", "mend it")


def allow(event, engine="libbpf"):
    return None


def survey(allowed=ROOT, *, perf=allow, bpf=allow):
    return {engine.name: engine for engine in engines(allowed, try_perf=perf, try_bpf=bpf)}


def test_all_work():
    found = survey()
    assert [engine.works for engine in found.values()] == [True] * 4
    assert not any(engine.mend for engine in found.values())


def test_nothing_works():
    found = survey(perf=refuse, bpf=refuse)
    assert not any(engine.works for engine in found.values())
    assert all(engine.mend for engine in found.values())
    assert not Diagnosis([], list(found.values())).can_record


def test_one_of_the_other_engines_is_enough():
    def others(event, engine="libbpf"):
        if engine != "bpftrace":
            refuse(event)

    found = survey(perf=refuse, bpf=others)
    assert [name for name, engine in found.items() if engine.works] == ["bpftrace"]
    assert Diagnosis([], list(found.values())).can_record


@pytest.mark.parametrize(
    ("paranoid", "scope"),
    [(2, "user code of own processes only"), (1, "own processes only"), (0, "the whole host too")],
)
def test_how_far_perf_reaches(paranoid, scope):
    assert survey(Permissions(paranoid))["perf"].proof == f"recorded a command; {scope}"


def test_perf_that_aborts_is_tried_again():
    tries = []

    def once(event):
        tries.append(event)
        if len(tries) == 1:
            raise NotAvailableError("perf failed: assertion failed at util/build-id.c:1010")

    assert survey(perf=once)["perf"].works
    assert len(tries) == 2


def test_kinds_of_hooks_that_are_refused():
    def some(event, engine="libbpf"):
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
