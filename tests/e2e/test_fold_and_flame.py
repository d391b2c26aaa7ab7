"""kprof fold and kprof flame as a user runs them, bad input included."""

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
KPROF = [sys.executable, "-m", "kprof"]
TEXT = b"app 1/1 [000] 1.000000: 7 cycles:\n\t55 work (/usr/bin/app)\n\n"


def kprof(*arguments, **options):
    options = {"capture_output": True, "timeout": 120, **options}
    return subprocess.run([*KPROF, *map(str, arguments)], check=False, **options)


def fails(done, code, says):
    assert done.returncode == code, done.stderr
    assert says.encode() in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_a_pipe_of_text_becomes_folded_text():
    done = kprof("fold", "-", input=TEXT * 3)
    assert done.stdout == b"app;work 21\n"
    assert b"3 samples read, 3 kept" in done.stderr


def test_quiet():
    assert kprof("fold", "-q", "-", input=TEXT).stderr == b""


def test_several_inputs_are_added_up(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "b.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "c.folded").write_bytes(b"app;work 3\n")
    done = kprof("fold", tmp_path / "a.txt", tmp_path / "b.gz", tmp_path / "c.folded", "-q")
    assert done.returncode in {0, 2}
    done = kprof("fold", tmp_path / "a.txt", tmp_path / "b.gz", "-q")
    assert done.stdout == b"app;work 14\n"


def test_recordings_and_their_text_have_the_same_samples(sample, manifest):
    """The recording was made elsewhere, so symbols may be missing here: the counts must agree."""
    event = manifest[sample]["events"][0]["name"]
    done = kprof("fold", SAMPLES / f"{sample}.perf.data.gz", "--event", event)
    assert done.returncode == 0, done.stderr
    text = kprof("fold", SAMPLES / f"{sample}.perf-script.txt.gz", "--event", event)
    assert done.stderr.split(b",")[0] == text.stderr.split(b",")[0]


def test_a_recording_on_stdin():
    data = gzip.decompress((SAMPLES / "kernel-io.perf.data.gz").read_bytes())
    done = kprof("fold", "-", input=data)
    assert done.returncode == 0, done.stderr
    assert b"882 kept" in done.stderr


def test_filters_reach_the_output():
    sample = SAMPLES / "system-wide.perf-script.txt.gz"
    for options, want in (
        (["--only-comm", "swapper"], b"swapper"),
        (["--focus", "^spin$"], b"spin"),
        (["--only-cpu", "0", "--start", "0.1", "--end", "0.5"], b""),
        (["--root-at", "do_syscall_64"], b";do_syscall_64"),
    ):
        done = kprof("fold", sample, *options)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines
        assert all(want in line for line in lines)
        assert b"left out by" in done.stderr


def test_annotations():
    done = kprof("fold", "--all", "--tid", "--addrs", SAMPLES / "kernel-io.perf-script.txt.gz", "-q")
    assert b"vfs_read_[k]" in done.stdout
    assert done.stdout.splitlines()[0].split(b";")[0].count(b"/") == 1


@pytest.mark.parametrize("command", ["fold", "flame"])
@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", 2, "is empty"),
        (b"\x7fELF" + bytes(100), 2, "which kprof does not read"),
        (bytes(range(256)) * 300, 2, "binary data"),
        (b"a;b -5\n", 2, "negative"),
        (b"a;b 99999999999999999999\n", 2, "int64"),
        (b'{"profiles": []}', 2, "JSON"),
        (gzip.compress(TEXT * 1000)[:-20], 2, "damaged or cut off"),
        (b"PERFILE2" + bytes(300), 2, "perf"),
        (TEXT[:30], 1, "no samples"),
    ],
)
def test_bad_input_is_one_line(tmp_path, command, data, code, says):
    suffix = "html" if command == "flame" else "folded"
    done = kprof(command, "-", "-o", tmp_path / f"out.{suffix}", input=data)
    fails(done, code, says)
    assert not list(tmp_path.iterdir())


def test_a_gigabyte_in_one_line_is_refused_early():
    with subprocess.Popen(
        ["sh", "-c", f"head -c 1000000000 /dev/zero | tr '\\0' a | {sys.executable} -m kprof fold -"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        _, errors = process.communicate(timeout=100)
    assert b"unknown format" in errors or b"16 MiB" in errors
    head = TEXT + b"a" * (20 << 20)
    fails(kprof("fold", "-", input=head), 2, "16 MiB")


def test_names_that_are_not_utf8_come_through():
    text = TEXT.replace(b"work", b"w\xff\xferk").replace(b"app 1/1", b"\xc3( 1/1")
    done = kprof("fold", "-", input=text, env={**os.environ, "LC_ALL": "C"})
    assert done.stdout == b"\xc3(;w\xff\xferk 7\n"
    assert kprof("flame", "-", "-o", "-", input=text).returncode == 0


@pytest.mark.parametrize("name", ["/nowhere/out.folded", "/proc/out.folded"])
def test_an_output_that_cannot_be_written(name):
    fails(kprof("fold", "-", "-o", name, "-q", input=TEXT), 1, f"cannot write {name}")


def test_an_output_without_permission(tmp_path):
    tmp_path.chmod(0o555)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*nobody, *KPROF, "fold", "-", "-q", "-o", tmp_path / "x.folded"],
        input=TEXT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"cannot write" in done.stderr
    tmp_path.chmod(0o755)


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=True)
    try:
        done = kprof("flame", "-", "-o", tmp_path / "out.html", "-q", input=TEXT)
        fails(done, 1, "No space left on device")
        assert not list(tmp_path.iterdir())
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_an_older_output_survives_a_failure(tmp_path):
    (tmp_path / "out.folded").write_text("old")
    kprof("fold", "-", "-o", tmp_path / "out.folded", input=b"")
    assert (tmp_path / "out.folded").read_text() == "old"


def test_devices_and_links_are_written_through(tmp_path):
    assert kprof("fold", "-", "-q", "-o", "/dev/null", input=TEXT).returncode == 0
    assert Path("/dev/null").is_char_device()
    (tmp_path / "link").symlink_to(tmp_path / "real.folded")
    kprof("fold", "-", "-q", "-o", tmp_path / "link", input=TEXT)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.folded").read_bytes() == b"app;work 7\n"


def test_a_reader_that_goes_away_is_no_error():
    text = b"".join(TEXT.replace(b"work", b"work%d" % i) for i in range(20_000))
    process = subprocess.Popen(
        [*KPROF, "fold", "-", "-q"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        pass
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_flame_names_its_page_after_the_input(tmp_path):
    (tmp_path / "busy.folded").write_bytes(b"main;work 3\n")
    assert kprof("flame", "busy.folded", cwd=tmp_path).returncode == 0
    page = (tmp_path / "busy.html").read_text()
    assert "busy.folded" in page
    assert "https://" not in page.split("<body")[0]


def test_memory_does_not_grow_with_the_text():
    def peak(copies):
        code = (
            "import resource, subprocess, sys\n"
            f"text = {TEXT!r} * 1000\n"
            "p = subprocess.Popen([sys.executable, '-m', 'kprof', 'fold', '-', '-q'], stdin=subprocess.PIPE, stdout=-3)\n"
            f"for _ in range({copies}): p.stdin.write(text)\n"
            "p.stdin.close(); p.wait()\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)

    small, large = peak(10), peak(1000)
    assert large < small + 8_000
    time.sleep(0)


def test_what_cannot_be_done_is_said():
    fails(kprof("flame", "-", "-o", "x.gif", input=TEXT), 2, ".html")
    fails(kprof("fold", "-", "--compat", "inferno", "--only-cpu", "0", input=TEXT), 2, "no cpu to filter by")
    fails(kprof("fold", "-", "--compat", "flamegraph", "--start", "1", input=TEXT), 2, "have no times")


def test_an_input_is_never_overwritten(tmp_path):
    (tmp_path / "x.txt").write_bytes(TEXT)
    fails(kprof("fold", "x.txt", "-o", "x.txt", cwd=tmp_path), 2, "is an input")
    (tmp_path / "x.html").write_bytes(TEXT)
    fails(kprof("flame", "x.html", cwd=tmp_path), 2, "is an input")
    assert (tmp_path / "x.txt").read_bytes() == (tmp_path / "x.html").read_bytes() == TEXT
    fails(kprof("fold", "x.txt", "-o", "y.html", cwd=tmp_path), 2, "kprof flame")


def test_source_lines_of_a_recording(tmp_path):
    (tmp_path / "app.c").write_text(
        "int main(void) { for (volatile long i = 0; i < 300000000; i++); return 0; }\n"
    )
    subprocess.run(["gcc", "-g", "-fno-omit-frame-pointer", "-o", "app", "app.c"], cwd=tmp_path, check=True)
    assert kprof("record", "-F", "199", "-o", "x.data", "--", "./app", cwd=tmp_path).returncode == 0
    done = kprof("fold", "x.data", "--srcline", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"main:app.c:1 " in done.stdout
    (tmp_path / "app").unlink()
    done = kprof("fold", "x.data", "--srcline", "-q", cwd=tmp_path)
    assert done.returncode in {0, 3}
    assert b"Traceback" not in done.stderr


def test_folded_text_says_nothing_of_losses(tmp_path):
    kprof("fold", SAMPLES / "lost.perf-script.txt.gz", "-o", "x.folded", cwd=tmp_path)
    done = kprof("flame", "x.folded", cwd=tmp_path)
    assert b" lost" not in done.stderr
    assert b"without a stack" not in done.stderr


def shell(line):
    return subprocess.run(
        ["sh", "-c", line, sys.executable], input=TEXT, capture_output=True, timeout=120, check=False
    )


@pytest.mark.parametrize("unbuffered", ["", "PYTHONUNBUFFERED=1 "])
def test_a_full_standard_output_is_an_error(unbuffered):
    fails(shell(f'{unbuffered}"$0" -m kprof fold -q - > /dev/full'), 1, "No space left")


@pytest.mark.parametrize(("closed", "says"), [("<&-", "input is closed"), (">&-", "output: it is closed")])
def test_closed_streams(closed, says):
    done = shell(f'"$0" -m kprof fold -q - {closed}')
    assert done.stderr.decode().count("\n") == 1
    assert says in done.stderr.decode()


def test_without_standard_error_the_work_is_done():
    assert shell('"$0" -m kprof fold - 2>&-').stdout == b"app;work 7\n"


def test_source_lines_that_are_not_there():
    assert kprof("fold", "-", "-q", "--srcline", input=TEXT).stdout == b"app;work 7\n"


def test_compat_inputs_are_read_as_one(tmp_path):
    for name, event in (("a", b"cycles:"), ("b", b"faults:")):
        (tmp_path / name).write_bytes(TEXT.replace(b"cycles:", event))
    done = kprof("fold", "--compat", "flamegraph", tmp_path / "a", tmp_path / "b", tmp_path / "a")
    assert done.stdout == b"app;work 14\n"
    fails(kprof("fold", "--compat", "inferno", tmp_path / "a", tmp_path / "b"), 2, "one input")


@pytest.mark.parametrize("option", ["--srcline", "--names=short"])
def test_compat_refuses_what_it_would_not_do(option):
    fails(kprof("fold", "--compat", "flamegraph", option, "-", input=TEXT), 2, option.partition("=")[0])
