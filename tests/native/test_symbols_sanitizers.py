"""Symbol tables and demanglers alone, under the address and undefined-behaviour sanitizers."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src/kprof/_native/core"
FLAGS = ["-D_GNU_SOURCE", "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ROUNDS = 400
NAMES = [
    "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE.llvm.123",
    "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
    "_RINvNtC3std3mem8align_ofNtNtC3std3mem12DiscriminantE",
    "_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_",
    "_RINvCs_1a1fKANtB4_1SKj7b_Kc76_Kb1_KRe616263_EB2_",
    "_RNvC1au6na_Bka",
    "_RIC0FG_UKCRL0_hEuDNtC1a1Tp1AhEL_E",
    "_RNvB_1a",
    "_RTB_B_B_E",
    "_Z1fI1aIS_IS0_IS1_EEEEvT_S2_S3_",
    "_ZNSt6vectorIiSaIiEE9push_backEOi.cold",
    "_ZZN3app3runEvENKUlvE_clEv",
    "_Z" + "1aI" * 200 + "i" + "E" * 200,
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    target = tmp_path_factory.mktemp("native") / "drive_symbols"
    families = ("memory", "intern", "symbols", "demangle")
    sources = [path for path in sorted(CORE.glob("*.c")) if path.stem.split("_")[0] in families]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{ROOT / 'src/kprof/_native'}"]
    subprocess.run(
        [*command, ROOT / "tests/native/drive_symbols.c", *sources, "-o", target, "-ldl", "-lpthread"],
        check=True,
    )
    return target


@pytest.mark.slow
def test_all_inputs_whole_and_damaged(program, tmp_path):
    jit = bytes.fromhex("44544a69 01000000 28000000 3e000000 00000000 07000000") + bytes(16)
    for number in range(4):
        body = bytes(16) + (0x1000 * number).to_bytes(8, "little") + (0x800).to_bytes(8, "little")
        body += bytes(8) + b"function%d\0" % number + bytes(16)
        jit += (0).to_bytes(4, "little") + (16 + len(body)).to_bytes(4, "little") + bytes(8) + body
    inputs = {
        "names": "\n".join(NAMES).encode(),
        "kallsyms": b"".join(
            b"ffffffff8%07x %c name%d%s\n" % (i // 3 * 64, b"TtWDbR"[i % 6], i, b"\t[mod]" * (i > 60))
            for i in range(80)
        ),
        "map": b"".join(b"%x %x f %d\n" % (i * 37 % 50 * 16, i % 7 * 16, i) for i in range(200)),
        "jitdump": jit,
        "object": Path("/usr/bin/true").read_bytes(),
    }
    for name, content in inputs.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [program, str(ROUNDS), *(tmp_path / name for name in inputs)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
