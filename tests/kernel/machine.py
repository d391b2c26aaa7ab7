"""Boot Debian's kernel on this root file system under emulation, and run a script in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest

NEEDS = (
    "boots Debian's kernel under emulation; `./run test` installs what it needs:"
    " apt-get install qemu-system-x86 linux-image-amd64 busybox-static linux-perf; pip install virtme-ng"
)
BEGIN, END = "-----BEGIN RESULTS-----", "-----END RESULTS-----"
_OVERLAID = {"etc", "home", "lib", "opt", "srv", "tmp", "usr", "var"}
_SEPARATE = {"dev", "proc", "run", "sys"}
_TOOLS = ("perf", "sh", "dd", "sleep", "setpriv")
# What BCC compiles with: thousands of small files.
_HEADERS = ("common/include/linux", "common/include/asm-generic", "common/include/uapi", "common/include/vdso",
    "common/arch/x86/include", "amd64/include/generated", "amd64/arch/x86/include")  # fmt: skip
# QEMU 7.2 emulates AVX2 wrongly: numpy.argsort gives other than an order there.
_PROCESSOR = "-cpu max,avx2=off"
_running = []
# Runs what the guest will run, and says which files that took.
_WITNESS = """
import sys
from kprof.cli import main
try:
    main()
finally:
    files = {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line}
    for module in list(sys.modules.values()):
        files |= {getattr(module, "__file__", None), getattr(module, "__cached__", None)}
    print(*filter(None, files), sep="\\n", file=open(sys.argv[-1], "w"))
"""


def run_in_guest(script, folder, *, seconds, compiles):
    """Run a Python script as root in the machine; return what it left with `report`, by name.

    One that compiles has the kernel's headers in memory, which takes a minute and saves two.
    """
    vng, kernel = _find_vng(), _find_kernel()
    files = _files_used(folder)
    archive = folder / "hot.tar"
    with tarfile.open(archive, "w") as tar:
        for name in (*files, *(_headers(kernel) if compiles else [])):
            tar.add(name)
    overlays = {Path(name).parts[1] for name in files} - _OVERLAID - _SEPARATE
    overlays = [f"--overlay-rwdir=/{name}" for name in overlays if not Path("/", name).is_symlink()]
    # The shared file system is slow under emulation: what is used often is copied to memory first.
    inside = f"tar -C / -xf {archive} && exec {sys.executable} {script}"
    command = [
        vng, "--disable-kvm", "--disable-microvm", "--force-9p", "-r", kernel, "--user", "root",
        "--memory", "2G", "--cpus", "2", f"--qemu-opts={_PROCESSOR}", *overlays, "--", inside,
    ]  # fmt: skip
    environment = {**os.environ, "PATH": f"{Path(vng).parent}:{os.environ['PATH']}:/usr/sbin:/sbin"}
    out, err = _run_whole_group(command, folder, environment, seconds)
    _, begun, rest = out.partition(BEGIN)
    results, ended, _ = rest.partition(END)
    assert begun, f"the machine did not run the script:\n{out}\n{err}"
    assert ended, f"the script did not end:\n{out}\n{err}"
    return {result.pop("name"): result for result in map(json.loads, results.split("\n")[1:-1])}


def _run_whole_group(command, folder, environment, seconds):
    """Run to the end; a machine that takes too long, or that nobody waits for any more, is switched off."""
    machine = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, errors="replace", cwd=folder, env=environment, start_new_session=True,
    )  # fmt: skip
    _running.append(machine)
    try:
        return machine.communicate(timeout=seconds)
    finally:
        _kill(machine)
        machine.wait()


def switch_off():
    """Switch all machines off that still run, for nobody waits for them any more."""
    for machine in _running:
        if machine.poll() is None:
            _kill(machine)


def _kill(machine):
    with suppress(ProcessLookupError):
        os.killpg(machine.pid, signal.SIGKILL)


def _find_vng():
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    found = shutil.which("vng", path=places)
    missing = [name for name in ("qemu-system-x86_64", "busybox", "perf") if not shutil.which(name)]
    missing += [] if found else ["vng"]
    if missing:
        pytest.fail(f"{', '.join(missing)} not found: this {NEEDS}")
    return found


def _find_kernel():
    found = [path for path in Path("/boot").glob("vmlinuz-6.1.*-amd64") if _modules(path).is_dir()]
    if not found:
        pytest.fail(f"no kernel in /boot: this {NEEDS}")
    return str(max(found, key=lambda path: path.stat().st_mtime))


def _modules(kernel):
    return Path("/lib/modules", kernel.name.removeprefix("vmlinuz-"))


def _headers(kernel):
    release = _modules(Path(kernel)).name.removesuffix("-amd64")
    return [
        str(path) for part in _HEADERS if (path := Path(f"/usr/src/linux-headers-{release}-{part}")).is_dir()
    ]


def _files_used(folder):
    listing, output = folder / "files.txt", folder / "witness.folded"
    command = [
        sys.executable,
        "-c",
        _WITNESS,
        "record",
        "-o",
        str(output),
        "--",
        "sh",
        "-c",
        "sleep .1; :",
        str(listing),
    ]
    subprocess.run(command, check=False, capture_output=True, timeout=60)
    files = set(listing.read_text().split("\n")) | {sys.executable}
    for tool in _TOOLS:
        path = shutil.which(tool)
        libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout.split()
        files |= {path, *(word for word in libraries if word.startswith("/"))}
    return sorted({name for name in map(_real, files) if name and Path(name).is_file()})


def _real(name):
    """Through links to directories, such as /lib; a link to a file, such as a venv's python, is kept."""
    path = Path(name)
    return str(path.parent.resolve() / path.name) if path.is_absolute() else ""
