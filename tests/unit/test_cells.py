"""What a notebook's cell shows: its own names, from the cell on."""

from kprof.api.cells import named_by_cell, rooted_at
from kprof.exporters import folded
from kprof.model import Event, Frame, Kind, ProfileBuilder

EVENT = Event("cpu-clock", "ns")


def python(name):
    return Frame(name, "/tmp/perf-7.map", Kind.PYTHON, 16)


def test_cells_have_numbers_and_what_runs_them_is_left_out():
    builder = ProfileBuilder()
    below = [Frame("main", "/bin/python", Kind.USER, 1), python("run_code (interactiveshell.py)")]
    cell = [python("<module> (2.py)"), python("work (1.py)")]
    builder.add([*below, *cell, python("<module> (2.py)")], 5, event=EVENT)
    builder.add([*below, *cell], 3, event=EVENT)
    builder.add([*below, python("write (iostream.py)")], 2, event=EVENT)
    cells = {"/tmp/ipykernel_7/1.py": "In[1]", "/tmp/ipykernel_7/2.py": "In[2]"}
    profile = named_by_cell(builder.build(), "/tmp/ipykernel_7", lambda name: cells.get(name, ""))
    text, _ = folded.render(rooted_at(profile, "<module> (In[2])").check())
    assert text.decode().splitlines() == [
        "<module> (In[2]);work (In[1]) 3",
        "<module> (In[2]);work (In[1]);<module> (In[2]) 5",
        "main;run_code (interactiveshell.py);write (iostream.py) 2",
    ]
