"""Tables that kprof would not have written are refused, and the error says why."""

import io
import json
import zipfile

import pytest

from kprof.errors import KprofError
from kprof.exporters import tables
from kprof.model import ProfileBuilder


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("samples", {"stack": [99]}, "samples.stack: a value lies outside"),
        ("stacks", {"parent": [0]}, "a parent does not stand before"),
        ("samples", {"weight": [1, 2]}, "differ in length"),
        ("samples", {"weight": ["x"]}, "weight is no column of whole numbers"),
        ("samples", {"pid": [1 << 40]}, "pid: a value is out of range"),
        ("frames", {"name": [3]}, "name is no column of texts"),
        ("frames", None, "frames is no table"),
        ("kprof", {"format": "kprof", "version": 2}, "version 2 of this format"),
    ],
)
def test_tables_that_contradict_each_other_are_refused(read, name, change, says):
    builder = ProfileBuilder()
    builder.add(["a"], 3, pid=1)
    document = json.loads(tables.render_json(builder.build()))
    document[name] = document[name] | change if change else change
    with pytest.raises(KprofError, match=says):
        read(json.dumps(document, separators=(",", ":")).encode())


def test_a_packed_container_is_refused(read):
    """What is packed within it could unpack to anything."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("kprof.json", "{}")
    with pytest.raises(KprofError, match="is packed"):
        read(data.getvalue())
