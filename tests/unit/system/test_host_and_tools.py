"""Where perf is, and whether the CPU counts."""

import pytest

from kprof.errors import NotAvailableError
from kprof.system.host import facts, has_hardware_counters
from kprof.system.tools import find_perf


@pytest.mark.parametrize(
    ("devices", "has"),
    [
        ({"software": 1, "breakpoint": 5, "msr": 9}, False),
        ({"software": 1, "cpu": 4}, True),
        ({"cpu_core": 4, "cpu_atom": 10}, True),
        ({"armv8_pmuv3_0": 8}, True),
        ({}, False),
    ],
)
def test_counters(tmp_path, devices, has):
    for name, kind in devices.items():
        folder = tmp_path / "bus/event_source/devices" / name
        folder.mkdir(parents=True)
        (folder / "type").write_text(f"{kind}\n")
    assert has_hardware_counters(str(tmp_path)) is has


def test_facts_name_host_and_kernel():
    assert set(facts()) == {"host", "kernel"}


def test_perf_off_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for version in ("5.15.0-9", "6.1.0-9"):
        folder = tmp_path / "usr/lib/linux-tools" / version
        folder.mkdir(parents=True)
        (folder / "perf").write_text("")
    assert find_perf(str(tmp_path)).endswith("6.1.0-9/perf")


@pytest.mark.parametrize(
    ("release", "package"),
    [
        ("ID=debian\n", "apt-get install linux-perf"),
        ("ID=ubuntu\nID_LIKE=debian\n", "apt-get install linux-tools-"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "apt-get install linux-tools-"),
        ("ID=fedora\n", "dnf install perf"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "dnf install perf"),
        ("ID=unheard-of\n", "linux-perf or linux-tools"),
        ("", "linux-perf or linux-tools"),
    ],
)
def test_no_perf_names_the_package(tmp_path, monkeypatch, release, package):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(release)
    with pytest.raises(NotAvailableError) as caught:
        find_perf(str(tmp_path))
    assert caught.value.exit_code == 3
    assert package in caught.value.help_text
