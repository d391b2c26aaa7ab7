"""ElfFile against readelf, on damaged files, and on hand-built ones of every width and byte order."""

import os
import random
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from kprof.elf import ElfFile
from kprof.errors import FormatError


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, capture_output=True, **options)


def tiny(bits, order, *, note=b"\x01\x02\x03\x04", sections=()):
    """Build an ELF file with one loaded segment, a build-id and sections given as (name, flags, content)."""
    mark = "<" if order == "little" else ">"
    word = "Q" if bits == 64 else "I"
    notes = struct.pack(mark + "III", 4, len(note), 3) + b"GNU\0" + note
    all_sections = [(".note.gnu.build-id", 7, 2, notes), *[(n, 1, f, c) for n, f, c in sections]]
    names = b"\0" + b"".join(n.encode() + b"\0" for n, *_ in all_sections) + b".shstrtab\0"
    all_sections.append((".shstrtab", 3, 0, names))
    head, program = (64, 56) if bits == 64 else (52, 32)
    body, headers = b"", [struct.pack(mark + ("IIQQQQIIQQ" if bits == 64 else "10I"), *[0] * 10)]
    for name, kind, flags, content in all_sections:
        fields = [
            names.index(name.encode() + b"\0"),
            kind,
            flags,
            0,
            head + program + len(body),
            len(content),
            0,
            0,
            4,
            0,
        ]
        headers.append(struct.pack(mark + ("IIQQQQIIQQ" if bits == 64 else "10I"), *fields))
        body += content
    size = head + program + len(body)
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "little" else 2, 1]) + bytes(9)
    header = ident + struct.pack(
        mark + f"HHI{word * 3}IHHHHHH", 3, 62, 1, 0, head, size, 0, head, program, 1,
        64 if bits == 64 else 40, len(headers), len(headers) - 1,
    )  # fmt: skip
    if bits == 64:
        segment = struct.pack(mark + "IIQQQQQQ", 1, 5, 0, 0x400000, 0, size, size + 16, 4096)
    else:
        segment = struct.pack(mark + "8I", 1, 0, 0x400000, 0, size, size + 16, 5, 4096)
    return header + segment + body + b"".join(headers)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["little", "big"])
def test_every_width_and_byte_order(bits, order):
    elf = ElfFile(tiny(bits, order, sections=[(".data", 0, b"hello")]))
    assert (elf.bits, elf.byteorder, elf.machine, elf.build_id) == (bits, order, 62, "01020304")
    assert bytes(elf.section(".data")) == b"hello"
    assert elf.section(".none") is None
    assert elf.offset_to_address(0x20) == 0x400020
    assert elf.offset_to_address(1 << 40) is None
    assert elf.segments[0].vaddr == 0x400000


def test_as_readelf_says(program):
    elf = ElfFile.open(program)
    text = subprocess.run(["readelf", "-nSW", program], capture_output=True, text=True, check=True).stdout
    assert f"Build ID: {elf.build_id}" in text
    assert all(name in text for name in elf.sections)
    text_section = elf.section_header(".text")
    assert elf.section_address(".text") == text_section.address
    assert elf.offset_to_address(text_section.offset) == text_section.address
    places, known = elf.offsets_to_addresses(np.array([text_section.offset, 1 << 60], np.uint64))
    assert known.tolist() == [True, False]
    assert places[0] == text_section.address


@pytest.mark.parametrize("how", ["zlib-gnu", "zlib-gabi", "zstd"])
def test_compressed_sections(program, tmp_path, how):
    packed = tmp_path / "packed"
    done = subprocess.run(
        ["objcopy", f"--compress-debug-sections={how}", program, packed], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"objcopy cannot write {how}")
    elf, whole = ElfFile.open(packed), ElfFile.open(program)
    assert elf.has_debug_information
    for name in (".debug_info", ".debug_line", ".debug_str"):
        assert bytes(elf.section(name)) == bytes(whole.section(name)), name


def test_a_section_that_grows_without_end_is_refused():
    bomb = zlib.compress(bytes(1 << 26))
    header = struct.pack("<IIQQ", 1, 0, 1 << 26, 1)
    elf = ElfFile(tiny(64, "little", sections=[(".debug_info", 0x800, header + bomb)]))
    assert elf.section(".debug_info") is None


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"not an ELF file at all", b"\x7fELF\x09\x09" + bytes(90)]
)
def test_what_is_no_elf_file(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(FormatError):
        ElfFile.open(tmp_path / "f")


def test_names_that_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "pipe", tmp_path, "a\0b", "/dev/null"):
        with pytest.raises(FormatError):
            ElfFile.open(name)
    with pytest.raises(FileNotFoundError):
        ElfFile.open(tmp_path / "none")


def test_links(program, tmp_path):
    run("objcopy", "--only-keep-debug", program, tmp_path / "a.debug")
    run("objcopy", "--strip-debug", "--add-gnu-debuglink=a.debug", program, tmp_path / "a", cwd=tmp_path)
    assert ElfFile.open(tmp_path / "a").debuglink == (
        "a.debug",
        zlib.crc32((tmp_path / "a.debug").read_bytes()),
    )
    assert ElfFile.open(program).debuglink is None
    alt = ElfFile(tiny(64, "little", sections=[(".gnu_debugaltlink", 0, b"/x/y.debug\0\xab\xcd")]))
    assert alt.debugaltlink == ("/x/y.debug", "abcd")


def touch_everything(elf):
    _ = elf.build_id, elf.segments, elf.sections, elf.debuglink, elf.debugaltlink, elf.has_debug_information
    for name in elf.sections[:40]:
        elf.section(name)
    elf.offsets_to_addresses(np.array([0, 1, 1 << 63], np.uint64))


def test_damaged_files_end_in_an_error_or_in_less(program):
    whole = program.read_bytes()
    draw = random.Random(5)  # noqa: S311 - to be the same every time
    for round_ in range(300):
        data = bytearray(whole if round_ % 2 else whole[: draw.randrange(len(whole))])
        places = range(min(64, len(data))) if round_ % 3 else range(max(0, len(data) - 3000), len(data))
        for at in draw.choices(places, k=4) if len(places) else ():
            data[at] = draw.choice([0, 1, 127, 255, draw.randrange(256)])
        try:
            touch_everything(ElfFile(bytes(data)))
        except FormatError:
            continue


def test_this_python():
    touch_everything(ElfFile.open(os.path.realpath(sys.executable)))
