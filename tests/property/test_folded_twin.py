"""Folded text read in C against flamegraph's own reading in Python, on texts that are nearly right."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flamegraph import folded as twin
from kprof._native._folded import FoldedReader

FRAMES = st.sampled_from(
    [
        b"a",
        b"b",
        b"main",
        b"mai",
        b"",
        b" ",
        b"operator new(unsigned long)",
        b"\xff",
        b"#x",
        b"a\tb",
        b"a\x00b",
    ]
)
WEIGHTS = st.sampled_from(
    [b" 1", b"\t2", b" 3.0", b" 4.", b" 5\r", b" 6 ", b" 7\t", b"", b" x", b" -1", b" 1.5", b" 01", b" .0", b" 1 2",
     b" 9223372036854775807", b" 9223372036854775808", b" " + b"0" * 1200 + b"1", b"  8", b"\x0b9"]
)  # fmt: skip
LINES = st.builds(
    lambda frames, weight: b";".join(frames) + weight, st.lists(FRAMES, min_size=1, max_size=5), WEIGHTS
)
TEXTS = st.lists(LINES | st.sampled_from([b"", b"# note", b" \t", b"\xef\xbb\xbfa 1"]), max_size=12).map(
    b"\n".join
)


def native(text, piece):
    reader = FoldedReader()
    for at in range(0, len(text), piece):
        reader.feed(text[at : at + piece])
    reader.feed(b"", last=True)
    return reader.tables()


@given(TEXTS, st.integers(1, 40))
@example(b"a;b 1\na;b;c 1\na;b 1\na 1\naa 1\n", 1000)
def test_the_same_tree_comes_out(text, piece):
    try:
        expected = twin.read(io.BytesIO(text))
    except OverflowError:
        with pytest.raises(OverflowError):
            native(text, piece)
        return
    found = native(text, piece)
    assert [name.decode("utf-8", "surrogateescape") for name in found["names"]] == expected.names
    for column in ("parent", "label", "weight"):
        assert found[column].tolist() == getattr(expected, column).tolist()
    assert found["skipped"] == expected.skipped
    assert (found["bad"] or (None,))[0] == (expected.first_bad or (None,))[0]
    if found["bad"]:
        with pytest.raises(twin.FoldedError) as refused:
            twin.parse_line(found["bad"][1])
        assert str(refused.value) == expected.first_bad[1]
