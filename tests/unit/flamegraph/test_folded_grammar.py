"""The folded grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamegraph import FoldedError, format_stack, from_folded, parse_line, read
from flamegraph.folded import write


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a;b 3", ([b"a", b"b"], 3)),
        (b"a;b 3\r\n", ([b"a", b"b"], 3)),
        (b"a;b\t3", ([b"a", b"b"], 3)),
        (b"a b;c d\t3\t", ([b"a b", b"c d"], 3)),
        (b"a;operator new(unsigned long) 12.0", ([b"a", b"operator new(unsigned long)"], 12)),
        (b"a;;b 0", ([b"a", b"", b"b"], 0)),
        (b" 5", ([b""], 5)),
        (b"a 9223372036854775807", ([b"a"], 2**63 - 1)),
    ],
)
def test_line_is_parsed(line, expected):
    assert parse_line(line) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a;b", "no space"),
        (b"5", "no space"),
        (b"a b", "not a whole"),
        (b"a 1.5", "not a whole"),
        (b"a 1e3", "not a whole"),
        (b"a -1", "negative"),
        (b"a 9223372036854775808", "int64"),
        (b"a " + b"9" * 5000, "int64"),
        (b"a " + b"9" * 5000 + b".0", "int64"),
        ("a ٣".encode(), "not a whole"),
    ],
)
def test_bad_line_says_why(line, reason):
    with pytest.raises(FoldedError, match=reason):
        parse_line(line)


def test_reading_sums_skips_and_counts():
    stacks = read(
        [b"\xef\xbb\xbfa;b 1\n", b"# note\n", b"\n", b"bad\n", b"a;b 2\r\n", b"a -3\n", b"a;\xff 4"]
    )
    assert stacks.names == ["a", "b", "\udcff"]
    assert (stacks.parent.tolist(), stacks.weight.tolist()) == ([-1, 0, 0], [0, 3, 4])
    assert (stacks.skipped, stacks.first_bad) == (2, (4, "no space before a weight"))


def test_a_stack_past_int64_raises():
    with pytest.raises(OverflowError):
        read([b"a 9223372036854775807", b"a 1"])


def test_format_keeps_a_stack_on_one_line():
    assert format_stack(["a;b", "c\n\td"], 7) == "a:b;c  d 7"
    assert parse_line(format_stack(["#x"], 7).encode()) == ([b" #x"], 7)


NAME = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters=";\u2028\u2029"), max_size=5
)


@given(st.dictionaries(st.lists(NAME, min_size=1, max_size=6).map(tuple), st.integers(1, 2**60), max_size=8))
def test_written_tree_reads_back(stacks):
    lines = [format_stack(frames, weight) for frames, weight in stacks.items()]
    tree = from_folded(line.encode() for line in lines)
    assert sorted(write(tree)) == sorted(lines)
