"""Headers of samples: a thread may call itself anything."""

import pytest

from kprof._native._text import TextReader

STACK = b"\t    55d0 work+0x10 (/usr/bin/app)\n\n"


def read(text, piece=None, **options):
    reader = TextReader(**options)
    piece = piece or len(text) or 1
    for at in range(0, len(text), piece):
        part = text[at : at + piece]
        reader.room(len(part))[:] = part
        reader.commit(len(part))
    reader.room(1)
    reader.commit(0, last=True)
    return reader.tables()


def rows(text, **options):
    tables = read(text, every_sample=True, **options)
    return [
        (
            tables["comms"][r["comm"]],
            r["pid"],
            r["tid"],
            r["cpu"],
            r["time"],
            tables["events"][r["event"]],
            r["weight"],
        )
        for r in tables["rows"]
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"app 12/34 [005] 1.000002: 250000 cycles:", (b"app", 12, 34, 5, 1000002000, b"cycles", 250000)),
        (b"app 34 1.000002: cycles:", (b"app", -1, 34, -1, 1000002000, b"cycles", 1)),
        (b"V8 Worker Thread 1/2 [000] 3.5000: 7 cycles:u:", (b"V8 Worker Thread", 1, 2, 0, 3500000000, b"cycles:u", 7)),
        (b"a 12 b 3 1/2 [000] 3.500000: 7 cycles:", (b"a 12 b 3", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"x 1/2 [000] 3.500000: 7 cycles:", (b"x", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"a;b 1/2 [000] 3.500000: 7 cycles:", (b"a;b", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"# no 1/2 [000] 3.500000: 7 cycles:", (b"# no", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"   padded 1/2 [000] 3.500000: 7 cycles:", (b"padded", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b":-1    -1/-1 [000] 3.500000: 7 cycles:", (b":-1", -1, -1, 0, 3500000000, b"cycles", 7)),
        (b" 1/2 [000] 3.500000: 7 cycles:", (b"", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"app 1/2 [000] 3.500000000: 0 cycles:", (b"app", 1, 2, 0, 3500000000, b"cycles", 1)),
        (b"app 1/2 [000] 3.500000: 1 sched:sched_switch: prev_comm=a 1.2 ==> x",
         (b"app", 1, 2, 0, 3500000000, b"sched:sched_switch", 1)),
        (b"app 1/2 [000] 3.500000:   7    cycles:", (b"app", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"app\t1/2 [000] 3.500000: 7 cycles:", (b"app", 1, 2, 0, 3500000000, b"cycles", 7)),
        (b"app 1/2 [012]     0.000001: 7 cpu/event=0x3c/u:", (b"app", 1, 2, 12, 1000, b"cpu/event=0x3c/u", 7)),
        (b"app 12/34 cycles:", (b"app", 12, 34, -1, -1, b"cycles", 1)),
        (b"  x 1 2.000000:   8 3.500000: 7 cycles:", (b"x 1 2.000000:", -1, 8, -1, 3500000000, b"cycles", 7)),
        (b"1 1 1.000: e:   7/8 [000] 3.500000: 7 cycles:", (b"1 1 1.000: e:", 7, 8, 0, 3500000000, b"cycles", 7)),
        (b"a 1 1.000000: 1 f:print: b 2 2.000: 9 c: d 3 3.000: 9 c:", (b"a", -1, 1, -1, 1000000000, b"f:print", 1)),
        (b"app 12/34 [005] K 3.500000: 7 cycles:", (b"app", 12, 34, 5, 3500000000, b"cycles", 7)),
        (b"K 34 U      3.500000: 7 cycles:", (b"K", -1, 34, -1, 3500000000, b"cycles", 7)),
        (b"app 34 [003] 99 cycles:", (b"app", -1, 34, 3, -1, b"cycles", 99)),
    ],
)  # fmt: skip
def test_header(header, expected):
    assert rows(header + b" \n" + STACK) == [expected]
    assert rows(header + b"\r\n" + STACK.replace(b"\n", b"\r\n")) == [expected]


def test_last_sample_counts_without_an_empty_line():
    assert len(rows(b"a 1/1 [0] 1.000000: 1 c:\n\t55 f (/a)")) == 1


def test_a_sample_without_a_stack_is_counted():
    counts = read(b"a 1/1 [0] 1.000000: 1 c:\n\na 1/1 [0] 1.000000: 1 c:\n" + STACK)["counts"]
    assert (counts["read"], counts["without_stack"]) == (2, 1)


def test_headers_without_stacks_follow_each_other():
    text = b"   comm one 1/1 [0] 1.000000: 5 c: \n      comm 2 1/2 [0] 1.000000: 6 c: \n"
    assert [r[0] for r in rows(text)] == [b"comm one", b"comm 2"]


def test_an_unknown_field_before_the_time_is_no_name():
    counts = read(b"app 12/34 [005] odd 3.500000: 7 cycles:\n" + STACK)["counts"]
    assert (counts["read"], counts["skipped_lines"]) == (0, 2)


def test_a_time_far_to_the_right_is_none_of_a_header():
    line = b"a" + b" 1 1.000: x:" * 100_000 + b"\n"
    counts = read(line * 3 + b"a 1/1 [0] 1.000000: 1 c:\n" + STACK + line[:600] + b"\n")["counts"]
    assert counts["read"] == 5


@pytest.mark.parametrize("arguments", [b"", b"fd: 0x3, buf: 0x7ffc "])
def test_a_frame_on_the_header_line(arguments):
    line = b"app 1/2 [000] 3.500000: 7 c: " + arguments + b"     ffffffff81000 do it+0x1 (/usr/bin/my app)\n"
    tables = read(line * 3)
    assert tables["names"] == [b"do it"]
    assert tables["modules"] == [b"/usr/bin/my app"]
    assert tables["rows"]["count"].tolist() == [3]


@pytest.mark.parametrize("lead", [b"\t    ", b"        "])
def test_what_looks_like_a_frame_among_the_arguments_is_none_if_a_stack_follows(lead):
    head = b"a 1/1 [0] 1.000000: 1 usb:urb: hi deadbeef12 done (ok)\n"
    stack = lead + b"4005 inner (/bin/x)\n" + lead + b"4006 outer (/bin/x)\n\n"
    tables = read((head + stack) * 2)
    (row,) = tables["rows"]
    names, stack = [], row["stack"]
    while stack >= 0:
        names.append(tables["names"][tables["frames"][tables["leaf"][stack]]["name"]])
        stack = tables["parent"][stack]
    assert (names, row["count"]) == ([b"inner", b"outer"], 2)


def test_source_lines_and_comments_below_a_frame_on_the_header_line():
    line = b"app 1/2 [000] 3.500000: 7 c:     4005 f+0x1 (/a)\n  dir/a.c:12\n# a comment\n"
    tables = read(line * 2)
    assert tables["sources"] == [b"dir/a.c:12"]
    assert (tables["counts"]["read"], tables["counts"]["skipped_lines"]) == (2, 0)


def test_records_of_other_kinds_are_no_samples():
    text = b"a 1/1 [0] 1.000000: PERF_RECORD_COMM: sh:1/1\n\na 1/1 [0] 1.0000: 1 c:\n" + STACK
    tables = read(text)
    assert tables["events"] == [b"c"]
    assert (tables["counts"]["read"], tables["counts"]["other_records"]) == (1, 1)


def test_lost_records_are_added_up():
    counts = read(b"a 1/1 [0] 1.000000: PERF_RECORD_LOST lost 41\n\na 1/1 [0] 1.0000: 1 c:\n" + STACK)[
        "counts"
    ]
    assert (counts["lost"], counts["read"], counts["skipped_lines"]) == (41, 1, 0)


def test_lines_that_are_not_understood_are_counted_every_time():
    block = b"a 1/1 [0] 1.000000: 1 c:\n\t  what is this\n\t55 f (/a)\n\n"
    assert read(block * 5)["counts"]["skipped_lines"] == 5


def test_pieces_make_no_difference(sample_text):
    text = sample_text("threads-hostile") + sample_text("no-callgraph")
    whole = read(text)
    for piece in (1 if len(text) < 50_000 else 17, 1000, 65_536):
        other = read(text, piece)
        assert other["rows"].tolist() == whole["rows"].tolist()
        assert other["names"] == whole["names"]


def test_a_line_of_more_than_16_mib_is_refused():
    with pytest.raises(ValueError, match="16 MiB"):
        read(b"a" * (17 << 20), 1 << 20)


def test_weights_never_wrap():
    line = b"a 1/1 [0] 1.000000: 9223372036854775807 c:\n" + STACK
    with pytest.raises(OverflowError):
        read(line * 2)
    assert read(b"a 1/1 [0] 1.000000: 9223372036854775808 c:\n" + STACK)["counts"]["read"] == 0


@pytest.mark.parametrize("dialect", ["right", "flamegraph", "inferno"])
def test_lines_not_understood_take_no_memory_and_pieces_do_not_change_their_number(dialect):
    text = b"".join(
        b"a 1/1 [0] 1.000000: 1 %s:\n\t55 f (/a)\n 0x%08x/0x1/P\n\t%s\n\n"
        % (b"cd"[i % 3 == 0 :][:1], i, (b"what is it", b"56 g (/b)")[i % 2])
        for i in range(300)
    )
    skipped = {
        read(text, piece, dialect=dialect)["counts"]["skipped_lines"] for piece in (None, 7, 100, 5000)
    }
    assert len(skipped) == 1


def test_samples_without_empty_lines():
    text = b"".join(b"a 1/1 [0] %d.000000: 1 c:\n\t55 f%d (/a)\n" % (i, i % 7) for i in range(40_000))
    tables = read(text + b"\n" + b"a 1/1 [0] 1.000000: 1 c:\n" + STACK, 1 << 16)
    assert tables["counts"]["read"] == 40_001
    assert sum(tables["rows"]["count"]) == 40_001


def test_texts_made_to_hash_alike_are_told_apart():
    """Eight bytes equal to a known key would make the eight beside them not matter."""
    keys = [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93]
    for key in keys:
        text = b""
        for name in (b"A" * 8, b"B" * 8):
            line = (
                (b"\t            4005 ".ljust(32, b"p")) + name + key.to_bytes(8, "little") + b" (/bin/x)\n\n"
            )
            text += b"x 10/11 [000] 1.000000: 5 cycles:\n" + line
        assert len(read(text)["names"]) == 2


def test_a_period_past_64_bits_does_not_wrap_in_the_flamegraph_dialect():
    for period in (b"18446744073709551617", b"36893488147419103234"):
        with pytest.raises(OverflowError):
            read(b"a 1/1 [0] 1.000000: " + period + b" c:\n" + STACK, dialect="flamegraph")


def test_the_flamegraph_dialect_takes_long_lines():
    """Each of these took time that grew with the square of the line."""
    for line in (b"\t55" + b" " * 300_000 + b"(/a)", b"a" * 300_000 + b"(/a)", b"x" + b" " * 300_000 + b"x"):
        read(b"a 1/1 [0] 1.000000: 1 c:\n" + line + b"\n\n", dialect="flamegraph")
