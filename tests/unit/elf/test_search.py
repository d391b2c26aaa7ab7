"""Finding the binary that was recorded, and never another one."""

import lzma
import shutil
import subprocess

import pytest

from kprof.elf import ElfFile
from kprof.elf.search import FileFinder


@pytest.fixture
def build_id(program):
    return ElfFile.open(program).build_id


@pytest.fixture
def finder(tmp_path):
    return lambda **options: FileFinder(
        debug_dirs=[str(tmp_path / "debug")],
        perf_cache=tmp_path / "perf",
        proc=str(tmp_path / "proc"),
        **options,
    )


def put(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return target


def test_the_path_itself(program, finder, build_id):
    found = finder()
    assert found.find(str(program), build_id).build_id == build_id
    assert found.find(str(program)).build_id == build_id
    assert found.find(str(program)) is found.find(str(program))
    assert not found.problems


def test_another_build_is_never_used(program, finder):
    found = finder()
    assert found.find(str(program), "ab" * 20) is None
    assert "another build" in found.problems[str(program)]


def test_a_short_build_id_that_perf_padded(program, finder, build_id):
    assert finder().find(str(program), build_id + "00" * 4) is not None


def test_a_padded_build_id_may_end_in_zeros_of_its_own(finder, tmp_path):
    (tmp_path / "a.c").write_text("int main(void) { return 0; }")
    command = ["gcc", "-Wl,--build-id=0xabcdef1000", "a.c", "-o", "a"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    path = str(tmp_path / "a")
    assert finder().find(path, "abcdef1000" + "00" * 15) is not None
    assert finder().find(path, "abcdef1000" + "00" * 14 + "10") is None
    assert finder().find(path, "abcdef10") is None


@pytest.mark.parametrize("path", ["/no/such", "[heap]", "//anon", "a\0b", "/" + "x" * 5000, "\ud800"])
def test_what_is_not_there(finder, path):
    assert finder().find(path, "ab" * 20, 1) is None


def test_why_is_remembered(finder, tmp_path):
    (tmp_path / "text").write_text("text")
    found = finder()
    assert found.find(str(tmp_path / "text")) is None
    assert found.find("/no/such") is None
    assert found.find("/no/such (deleted)") is None
    assert list(found.problems.values()) == [
        "it is not an ELF file", "there is no such file here", "it was deleted",
    ]  # fmt: skip


def test_archive_and_perf_store(program, finder, build_id, tmp_path):
    place = tmp_path / "perf/.build-id" / build_id[:2] / build_id[2:] / "elf"
    assert finder().find("/gone", build_id) is None
    put(program, place)
    assert finder().find("/gone", build_id) is not None
    assert finder().find("/gone") is None
    place.rename(put(program, tmp_path / "archive/.build-id" / build_id[:2] / build_id[2:] / "elf"))
    assert finder(archive=tmp_path / "archive").find("/gone", build_id) is not None


def test_roots_and_symfs(program, finder, tmp_path):
    put(program, tmp_path / "image/usr/bin/app")
    assert finder(roots=[tmp_path / "image"]).find("/usr/bin/app") is not None
    assert finder(symfs=str(tmp_path / "image")).find("/usr/bin/app") is not None
    assert finder(symfs=str(tmp_path / "none")).find(str(program)) is None


def test_containers_and_deleted_files(program, finder, build_id, tmp_path):
    put(program, tmp_path / "proc/7/root/in/container")
    found = finder()
    assert found.find("/in/container", build_id, 7) is not None
    assert found.find("/in/container", "ab" * 20, 7) is None
    (tmp_path / "proc/8/map_files").mkdir(parents=True)
    gone = tmp_path / "gone (deleted)"
    put(program, gone)
    (tmp_path / "proc/8/map_files/1-2").symlink_to(gone)
    (tmp_path / "proc/8/exe").symlink_to("/other")
    assert found.find(str(gone), "", 8) is not None
    (tmp_path / "proc/8/status").write_text("Name:\tx\nNSpid:\t8\t3\n")
    assert found.inner_pid(8) == 3
    assert list(found.map_places("/tmp/perf-8.map", 8))[-1].endswith("/8/root/tmp/perf-3.map")


def test_a_file_that_came_after_a_deletion_is_another(program, finder, build_id):
    assert finder().find(f"{program} (deleted)") is None
    assert finder().find(f"{program} (deleted)", build_id) is not None


@pytest.fixture
def stripped(program, tmp_path):
    def run(*command):
        subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd=tmp_path)

    run("objcopy", "--only-keep-debug", program, "app.debug")
    run("objcopy", "--strip-all", "--add-gnu-debuglink=app.debug", program, "app")
    return tmp_path / "app"


def test_debug_file_by_name(finder, stripped, tmp_path):
    assert finder().find_debug(ElfFile.open(stripped)).path.endswith("app.debug")
    (tmp_path / ".debug").mkdir()
    (tmp_path / "app.debug").rename(tmp_path / ".debug/app.debug")
    assert finder().find_debug(ElfFile.open(stripped)).path.endswith(".debug/app.debug")
    assert finder().find_debug(ElfFile.open(stripped)).has_debug_information


def test_debug_file_by_build_id(finder, stripped, tmp_path, build_id):
    place = tmp_path / f"debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    put(tmp_path / "app.debug", place)
    (tmp_path / "app.debug").unlink()
    assert finder().find_debug(ElfFile.open(stripped)).path == str(place)
    assert finder().find_by_build_id(build_id).path == str(place)


def test_a_debug_file_of_another_build_is_not_used(finder, stripped, tmp_path):
    (tmp_path / "b.c").write_text("int main(void) { return 1; }")
    command = ["gcc", "-Wl,--build-id=none", "b.c", "-o", "app.debug"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert finder().find_debug(ElfFile.open(stripped)) is None


def test_symbols_packed_into_the_binary(finder, program, tmp_path):
    (tmp_path / "mini.xz").write_bytes(lzma.compress(program.read_bytes()))
    command = ["objcopy", "--strip-all", "--add-section=.gnu_debugdata=mini.xz", program, "app"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert ".symtab" in finder().find_debug(ElfFile.open(tmp_path / "app")).sections
    (tmp_path / "mini.xz").write_bytes(lzma.compress(bytes(1 << 28)))
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert finder().find_debug(ElfFile.open(tmp_path / "app")) is None


def test_dwz(finder, program, tmp_path):
    if shutil.which("dwz") is None:
        pytest.skip("dwz is not installed")
    for name in ("one", "two"):
        put(program, tmp_path / name)
    done = subprocess.run(
        ["dwz", "-m", "common", "-M", str(tmp_path / "common"), "one", "two"],
        capture_output=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    if done.returncode or not (tmp_path / "common").exists():
        pytest.skip("dwz found nothing to share")
    elf = ElfFile.open(tmp_path / "one")
    assert finder().find_alt(elf).build_id == elf.debugaltlink[1]


def test_the_vdso_of_this_machine():
    found = FileFinder()
    own = found.find("[vdso]")
    if own is None:
        pytest.skip("no vdso here")
    assert own.build_id
    assert found.find_vdso(64, own.build_id).build_id == own.build_id
    assert found.find_vdso(64, "ab" * 20) is None
