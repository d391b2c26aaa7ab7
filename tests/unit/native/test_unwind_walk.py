"""Steps from frame to frame, on stacks made by hand; expressions by what they leave as a return address."""

import struct

import pytest

from kprof._native._unwind import CfiTable, Maps, unwind

X86_64, I386, AARCH64 = 62, 3, 183
BASE, CODE, JIT, SIZE = 0x7FFF0000, 0x400000, 0x900000, 0x1000
# Numbers in DWARF of sp, the return address, and what a call leaves on the stack.
COLUMNS = {X86_64: (7, 16, 8), I386: (4, 8, 4), AARCH64: (31, 30, 0)}


def entry(link, body, order):
    body += bytes(-len(body) % 8)
    return struct.pack(order + "II", len(body) + 4, link) + body


def table(*programs, machine=X86_64, order="<"):
    """Functions of 256 bytes each, from CODE on; None is a gap."""
    sp, column, size = COLUMNS[machine]
    word = "Q" if machine != I386 else "I"
    first = bytes([0x0C, sp, size]) + (bytes([0x80 | column, 1]) if size else b"")
    factor = 0x80 - struct.calcsize(word) & 0x7F
    head = b"\x01z\0\x01" + bytes([factor, column, 0])
    section = entry(0, head + first, order)
    for number, program in enumerate(programs):
        if program is None:
            continue
        place = struct.pack(order + 2 * word, CODE + 256 * number, 256)
        section += entry(len(section) + 4, place + b"\0" + program, order)
    return CfiTable(machine, order == ">", [(0, CODE, SIZE)], eh_frame=(section, 0))


def at(number, offset=16):
    return CODE + 256 * number + offset


def walk(cfi, words, pc, *, machine=X86_64, order="<", maps=None, as_libunwind=False, **registers):
    """Walk a stack of words; registers by their names in perf."""
    names = {
        X86_64: [
            *["ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"],
            *"." * 7,
            *(f"r{n}" for n in range(8, 16)),
        ],
        AARCH64: [*(f"x{n}" for n in range(29)), "fp", "lr", "sp", "pc"],
    }[X86_64 if machine == I386 else machine]
    values = {"sp": BASE, "ip": pc, "pc": pc, **registers}
    mask = sum(1 << i for i, name in enumerate(names) if name in values)
    packed = b"".join(struct.pack(order + "Q", values[name]) for name in names if name in values)
    stack = struct.pack(order + f"{len(words)}{'I' if machine == I386 else 'Q'}", *words)
    if maps is None:
        maps = [(CODE, CODE + SIZE, 0, cfi), (JIT, JIT + SIZE, 0, None)]
    frames, end = unwind(
        X86_64 if machine == I386 else machine,
        mask,
        packed,
        stack,
        Maps(maps),
        swap=order == ">",
        is_32bit=machine == I386,
        as_libunwind=as_libunwind,
    )
    return [address for address, _ in frames], end


UNDEFINED = {X86_64: b"\x07\x10", I386: b"\x07\x08", AARCH64: b"\x07\x1e"}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("machine", [X86_64, I386])
def test_frames_up_to_the_outermost(machine, order):
    size = COLUMNS[machine][2]
    cfi = table(b"", bytes([0x0E, 3 * size]), UNDEFINED[machine], machine=machine, order=order)
    frames, end = walk(cfi, [at(1), 7, 7, at(2)], at(0), machine=machine, order=order)
    assert (frames, end) == ([at(0), at(1), at(2)], "whole")


def test_arm_keeps_the_return_address_in_its_register_until_a_call():
    saved = b"\x0e\x20\x9d\x04\x9e\x03"  # CFA sp+32, x29 at CFA-32, x30 at CFA-24
    cfi = table(b"", saved, UNDEFINED[AARCH64], machine=AARCH64)
    words = [BASE + 32, at(2), 0, 0]
    assert walk(cfi, words, at(0), machine=AARCH64, lr=at(1)) == ([at(0), at(1), at(2)], "whole")
    # A caller whose row does not say where it is has lost it.
    lost = table(b"", b"\x0e\x20", UNDEFINED[AARCH64], machine=AARCH64)
    assert walk(lost, words, at(0), machine=AARCH64, lr=at(1)) == ([at(0), at(1)], "broken")


@pytest.mark.parametrize("operation", [b"\x2d", b"\x2c"])
def test_pointer_authentication_codes_are_removed(operation):
    saved = b"\x0e\x10\x9e\x02" + operation
    cfi = table(saved, UNDEFINED[AARCH64], machine=AARCH64)
    signed = at(1) | 0x2A << 48
    assert walk(cfi, [signed, 0], at(0), machine=AARCH64) == ([at(0), at(1)], "whole")
    assert cfi.row(at(0))[4]
    twice = table(saved + b"\x2d", UNDEFINED[AARCH64], machine=AARCH64)
    assert walk(twice, [signed, 0], at(0), machine=AARCH64) == ([at(0)], "broken")


def test_code_by_frame_pointer_needs_no_row():
    cfi = table(b"\x0e\x10\x86\x02", UNDEFINED[X86_64])
    words = [7, BASE + 32, at(0), 9, BASE + 56, JIT + 32, 5, 0, at(1)]
    frames, end = walk(cfi, words, JIT + 16, bp=BASE + 8)
    assert (frames, end) == ([JIT + 16, at(0)], "broken")
    words = [7, BASE + 32, JIT + 64, 9, BASE + 56, at(1)]
    assert walk(cfi, words, JIT + 16, bp=BASE + 8) == ([JIT + 16, JIT + 64, at(1)], "whole")


def test_a_trampoline_of_python_has_a_word_below_its_return_address():
    # `sub $8, %rsp; call *%rcx` with a frame pointer that is none: Python 3.12 without frame pointers.
    cfi = table(b"", UNDEFINED[X86_64])
    words = [JIT + 16, at(0), at(1)]
    assert walk(cfi, words, at(0), bp=5) == ([at(0), JIT + 16, at(1)], "whole")
    assert walk(cfi, [JIT + 16, 7, 8], at(0), bp=5) == ([at(0), JIT + 16], "no_rule")
    # What is called cannot stand at the very place where the sample is.
    assert walk(cfi, [7, at(1)], JIT + 16, bp=5) == ([JIT + 16], "no_rule")


@pytest.mark.parametrize("pointer", [0, BASE - 8, BASE + 4, BASE + (1 << 20), BASE + 24], ids=hex)
def test_a_frame_pointer_that_is_none_is_not_followed(pointer):
    words = [1 << 32, BASE + 24, at(0), 8, 0x123456789, 0, 0]
    assert walk(table(UNDEFINED[X86_64]), words, JIT + 16, bp=pointer) == ([JIT + 16], "no_rule")


def test_a_frame_pointer_behind_the_copy_says_that_it_was_too_short():
    for pointer in (BASE + 16, BASE + 24, BASE + 4096):
        assert walk(table(), [7, 7, 7], JIT + 16, bp=pointer) == ([JIT + 16], "out_of_stack")


def test_two_zeros_at_the_frame_pointer_are_the_end():
    assert walk(table(), [0, 0], JIT + 16, bp=BASE) == ([JIT + 16], "whole")


def test_where_the_kernel_starts_a_program_is_the_end():
    cfi = table(b"", None)
    words = [at(1), 2, BASE + 512, BASE + 520, 0]
    assert walk(cfi, words, at(0), bp=0) == ([at(0), at(1)], "whole")
    assert walk(cfi, words[1:], at(1), bp=0) == ([at(1)], "whole")
    assert walk(cfi, [at(1), 0, 0, 0], at(0), bp=0) == ([at(0), at(1)], "no_rule")
    assert walk(cfi, [at(1), 2, 0x5000, 0], at(0), bp=0) == ([at(0), at(1)], "no_rule")
    assert walk(cfi, words, at(0), bp=8) == ([at(0), at(1)], "no_rule")


def test_assembler_without_a_row_returns_to_where_the_stack_pointer_points():
    cfi = table(None, UNDEFINED[X86_64])
    assert walk(cfi, [at(1), 0], at(0)) == ([at(0), at(1)], "whole")
    # Not to code of which nothing is known, either.
    assert walk(cfi, [JIT + 16, 0], at(0)) == ([at(0)], "no_rule")


def test_a_call_to_nowhere_returns_to_its_caller():
    assert walk(table(UNDEFINED[X86_64]), [at(0)], 0) == ([0, at(0)], "whole")
    arm = table(UNDEFINED[AARCH64], machine=AARCH64)
    assert walk(arm, [0], 0, machine=AARCH64, lr=at(0)) == ([0, at(0)], "whole")
    assert walk(table(), [5], 0) == ([0], "broken")


def test_on_arm_the_frame_pointer_gives_the_stack_pointer_back():
    saved = b"\x0e\x20\x9d\x04\x9e\x03"
    cfi = table(saved, UNDEFINED[AARCH64], machine=AARCH64)
    words = [0, BASE + 24, at(0), BASE + 56, at(1), 0, 0]
    frames, end = walk(cfi, words, JIT + 16, machine=AARCH64, fp=BASE + 8)
    assert (frames, end) == ([JIT + 16, at(0), at(1)], "whole")


def test_why_there_are_no_more():
    cfi = table(b"", b"\x0e\x40", b"\x0e\x10")
    assert walk(cfi, [at(1), 0], at(0)) == ([at(0), at(1)], "out_of_stack")
    assert walk(cfi, [], at(0)) == ([at(0)], "out_of_stack")
    assert walk(cfi, [5], at(0)) == ([at(0)], "broken")
    assert walk(cfi, [0], at(0)) == ([at(0)], "whole")
    assert walk(cfi, [at(5)], at(0)) == ([at(0), at(5)], "no_rule")
    assert walk(cfi, [at(2), *[0, at(2)] * 2000], at(0))[1] == "full"
    assert unwind(X86_64, 0, b"", b"", Maps([])) == ([], "no_rule")
    assert unwind(40, 0x1FF, bytes(72), b"", Maps([])) == ([], "no_rule")


def test_frames_never_go_down():
    down = table(b"\x0f\x02\x77\x70\x16\x10\x05\x0c" + struct.pack("<I", at(0)))
    assert walk(down, [at(0)] * 8, at(0)) == ([at(0)], "broken")
    same = table(b"\x0e\x00\x16\x10\x05\x0c" + struct.pack("<I", at(0)))
    assert walk(same, [at(0)] * 8, at(0)) == ([at(0)], "broken")


def test_registers_that_were_popped_keep_their_value():
    # rbp was saved at CFA-16 and is popped already: the caller's CFA is by it.
    cfi = table(b"\x86\x02", b"\x0c\x06\x10", UNDEFINED[X86_64])
    assert walk(cfi, [at(1), 0, 0, at(2)], at(0), bp=BASE + 16) == ([at(0), at(1), at(2)], "whole")


def test_a_register_that_is_unknown_gives_no_cfa():
    cfi = table(b"\x07\x06", b"\x0c\x06\x10", UNDEFINED[X86_64])
    assert walk(cfi, [at(1), 0, 0, at(2)], at(0), bp=BASE + 16) == ([at(0), at(1)], "no_rule")


def test_tables_of_another_machine_are_left_alone():
    assert walk(table(b"", machine=I386), [at(1)], at(0)) == ([at(0)], "no_rule")


def test_as_libunwind_little_is_guessed_and_no_return_address_doubted():
    cfi = table(b"", None, UNDEFINED[X86_64])
    # JIT-compiled code has no callers, what lies in a file without rows has them by the frame pointer.
    words = [at(1), 0, BASE + 32, JIT + 64, 0, at(2)]
    assert walk(cfi, words, at(0), bp=BASE + 16) == ([at(0), at(1), JIT + 64, at(2)], "whole")
    stopped = ([at(0), at(1), JIT + 64], "no_rule")
    assert walk(cfi, words, at(0), bp=BASE + 16, as_libunwind=True) == stopped
    for address in (0, 5):
        assert walk(cfi, [address], at(0), as_libunwind=True) == ([at(0), address], "no_rule")
    assert walk(cfi, [at(0)], 0, as_libunwind=True) == ([0], "no_rule")
    assert walk(cfi, [], at(0), as_libunwind=True) == ([at(0)], "out_of_stack")


def test_fewer_registers_than_the_mask_says():
    with pytest.raises(ValueError, match="registers"):
        unwind(X86_64, 0x1FF, bytes(71), b"", Maps([]))


EXPRESSIONS = {
    "addr": (b"\x03" + struct.pack("<Q", 1 << 40), 1 << 40),
    "deref": (b"\x0a\x08\x00\x22\x06", 0x1122334455667788),
    "const1u const1s": (b"\x08\xff\x09\xff\x22", 0xFE),
    "const2u const2s": (b"\x0a\xff\xff\x0b\xff\xff\x22", 0xFFFE),
    "const4u const4s": (b"\x0c\xff\xff\xff\xff\x0d\xff\xff\xff\xff\x22", 0xFFFFFFFE),
    "const8u const8s": (
        b"\x0e" + struct.pack("<Q", 1 << 33) + b"\x0f" + struct.pack("<q", -1) + b"\x22",
        (1 << 33) - 1,
    ),
    "constu consts": (b"\x10\x80\x01\x11\x7f\x22", 127),
    "dup": (b"\x35\x12\x1e", 25),
    "drop": (b"\x35\x36\x13", 5),
    "over": (b"\x35\x36\x14\x1c\x1c", 4),
    "pick": (b"\x35\x36\x37\x15\x02", 5),
    "swap": (b"\x35\x38\x16\x1c", 3),
    "rot": (b"\x31\x32\x33\x17\x08\x0a\x1e\x22\x08\x0a\x1e\x22", 213),
    "abs neg": (b"\x35\x1f\x19", 5),
    "abs": (b"\x35\x19", 5),
    "and or xor": (b"\x3c\x3a\x1a\x31\x21\x3f\x27", 6),
    "div": (b"\x11\x64\x33\x1f\x1b", 9),
    "div of the least number": (b"\x31\x08\x3f\x24\x31\x1f\x1b", 1 << 63),
    "mod": (b"\x4f\x34\x1d", 3),
    "minus mul plus": (b"\x35\x33\x1c\x34\x1e\x31\x22", 9),
    "not": (b"\x35\x20\x20", 5),
    "plus_uconst": (b"\x35\x23\x80\x01", 133),
    "shl shr": (b"\x31\x38\x24\x32\x25", 64),
    "shl by much": (b"\x35\x31\x08\x40\x24\x22", 5),
    "shra": (b"\x38\x1f\x31\x26\x1f", 4),
    "shra by much": (b"\x38\x1f\x08\x80\x26\x1f\x23\x04", 5),
    "eq ne": (b"\x35\x35\x29\x35\x36\x2e\x22", 2),
    "ge gt": (b"\x36\x36\x2a\x36\x35\x2b\x22", 2),
    "le lt": (b"\x35\x35\x2c\x35\x36\x2d\x22", 2),
    "bra": (b"\x35\x31\x28\x01\x00\x13", 5),
    "bra not taken": (b"\x35\x30\x28\x01\x00\x36", 6),
    "skip": (b"\x35\x2f\x01\x00\x36\x96", 5),
    "loop": (b"\x30\x23\x01\x12\x3a\x2d\x28\xf8\xff", 10),
    "breg bregx": (b"\x73\x01\x92\x03\x7f\x22", 2 * 0x77),
    "deref_size": (b"\x0a\x08\x00\x22\x94\x02", 0x7788),
}
FAILING = {
    "underflow": b"\x35\x22",
    "empty": b"",
    "overflow": b"\x31" * 70,
    "endless": b"\x31\x2f\xfc\xff",
    "jump out": b"\x31\x2f\x7f\x00",
    "division": b"\x31\x30\x1b",
    "mod 0": b"\x31\x30\x1d",
    "deref of elsewhere": b"\x35\x06",
    "deref_size of 3": b"\x0a\x08\x00\x22\x94\x03",
    "unknown register": b"\x7c\x00",
    "register that is none": b"\x92\x50\x00",
    "pick too far": b"\x31\x15\x07",
    "unknown operation": b"\x9c",
    "cut": b"\x31\x0c\x00",
}


def returns_to(expression):
    program = bytes([0x16, 16, len(expression)]) + expression
    everywhere = [
        (1, CODE, 0, None),
        (CODE, CODE + SIZE, 0, table(program)),
        (CODE + SIZE, (1 << 64) - 1, 0, None),
    ]
    words = [0, 0, 0x1122334455667788, 0]
    return walk(None, words, at(0), maps=everywhere, bx=0x77)


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expression(expression, value):
    assert returns_to(expression) == ([at(0), value], "no_rule")


@pytest.mark.parametrize("expression", FAILING.values(), ids=FAILING)
def test_expression_that_fails(expression):
    # What is on the stack at the start, the CFA, is dropped.
    assert returns_to(b"\x13" + expression) == ([at(0)], "broken")
