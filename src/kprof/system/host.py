"""What this machine is."""

import platform
from contextlib import suppress
from pathlib import Path

_PERF_TYPE_RAW = "4"
_DEFAULT_RATE = 100_000


def facts() -> dict[str, str]:
    """Return the facts of a recording's origin: host and kernel."""
    return {"host": platform.node(), "kernel": f"{platform.release()} {platform.machine()}"}


def has_hardware_counters(sys: str = "/sys") -> bool:
    """Say whether the kernel knows a CPU's performance counters; virtual machines often have none.

    The core PMU registers as PERF_TYPE_RAW; hybrid CPUs register `cpu_core` and `cpu_atom` instead.
    """
    devices = Path(sys, "bus/event_source/devices")
    if any((devices / name).exists() for name in ("cpu_core", "cpu_atom")):
        return True
    for device in devices.glob("*/type"):
        with suppress(OSError):
            if device.read_text(encoding="ascii").strip() == _PERF_TYPE_RAW:
                return True
    return any(devices.glob("armv8*"))


def fastest_sampling(proc: str = "/proc") -> int:
    """Return the highest rate that the kernel allows, in samples a second and CPU."""
    with suppress(OSError, ValueError):
        return int(Path(proc, "sys/kernel/perf_event_max_sample_rate").read_text(encoding="ascii"))
    return _DEFAULT_RATE


def release() -> str:
    """Return the release of the running kernel, such as 6.1.0-9-amd64."""
    return platform.release()
