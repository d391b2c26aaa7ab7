"""What the events of a recording are called, whoever wrote it."""

import pytest


def formats(made):
    """Formats of tracepoints, as `perf record` keeps them."""
    text = b"name: sched_switch\nID: 316\nformat:\n"
    head = b"\x17\x08\x44tracing0.5\0" + (b"\0" if made.order == "<" else b"\1") + b"\x08" + made.ints(4096)
    pages = b"header_page\0" + made.words(3) + b"abc" + b"header_event\0" + made.words(0)
    ftrace = made.ints(1) + made.words(4) + b"name"
    return head + pages + ftrace + made.ints(1) + b"sched\0" + made.ints(1) + made.words(len(text)) + text


@pytest.mark.parametrize("order", ["<", ">"])
def test_tracepoints_are_named_by_their_formats(r, start, read, order):
    made = start(order, kind=2, config=316)
    data = formats(made)
    made.record(66, made.ints(len(data)))
    made.parts.append(data.ljust(-(-len(data) // 8) * 8, b"\0"))
    made.sample(7, [r.USER, 0x1010])
    assert [event.name for event in read(made).meta.events] == ["sched:sched_switch"]
    within = start(order, kind=2, config=316).sample(7, [r.USER, 0x1010])
    assert [event.name for event in read(within.file(f1=data)).meta.events] == ["sched:sched_switch"]
    for cut in range(len(data)):
        name = read(within.file(f1=data[:cut])).meta.events[0].name
        assert name == "tracepoint 316", cut


def test_formats_that_simpleperf_makes_a_part_of_their_record(r, start, read):
    made = start(kind=2, config=316)
    data = formats(made)
    made.record(66, made.ints(len(data)) + data.ljust(-(-len(data) // 64) * 64, b"\0"))
    profile = read(made.sample(7, [r.USER, 0x1010]))
    assert profile.meta.quality.read == 1
    assert profile.meta.events[0].name == "sched:sched_switch"


def test_events_are_named_as_simpleperf_does(r, start, read):
    made = start(kind=8, config=5).sample(7, [r.USER, 0x1010])
    pairs = b"simpleperf_version\x001\0event_type_info\0cpu-cycles,0,0\nraw-x,1,8,5\nbroken,x\0"
    assert read(made.file(f129=pairs)).meta.events[0].name == "raw-x,1"


def test_events_without_a_name_are_named_by_their_type(r, start, read):
    profile = read(start().sample(7, [r.USER, 0x1010]))
    assert [(event.name, event.unit) for event in profile.meta.events] == [("cpu-clock", "ns")]
