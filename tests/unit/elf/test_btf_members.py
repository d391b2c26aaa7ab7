"""Members and enumerations, on the running kernel's own types."""

from pathlib import Path

import pytest

from kprof.elf import btf
from kprof.elf.btf_members import members_of, names_of, shape_of
from kprof.elf.kernel_types import KernelTypes

pytestmark = pytest.mark.skipif(
    not Path("/sys/kernel/btf/vmlinux").exists(), reason="this kernel does not tell its types"
)


@pytest.fixture(scope="module")
def types():
    return KernelTypes()


def members(types, name):
    found = types.of()
    return {member.name: member for member in members_of(found, found.structures[name])}


def test_members_with_those_of_nameless_ones(types):
    # The hash and the length of a name lie in a structure and a union without names.
    found = members(types, "qstr")
    assert {"hash", "len", "name"} <= found.keys()
    assert found["len"].offset == 32
    assert found["name"].offset == 64


def test_what_types_are(types):
    found = types.of()
    task = members(types, "task_struct")
    comm = shape_of(found, task["comm"].type)
    assert (comm.kind, comm.size) == (btf.ARRAY, 16)
    assert shape_of(found, comm.inner).is_character
    assert shape_of(found, task["pid"].type)[3:5] == (4, True)
    assert shape_of(found, task["mm"].type).kind == btf.PTR
    assert any(member.bits for member in task.values())


def test_names_of_numbers(types):
    found = types.of()
    kind = members(types, "inode")["i_ino"].type
    assert names_of(found, kind) == {}
    prototype = types.raw_prototype("sched_switch")
    assert [each.name for each in prototype.arguments][:3] == ["preempt", "prev", "next"]
    direction = types.prototype("dma_map_page_attrs") or types.prototype("dma_unmap_page_attrs")
    if direction is None:
        pytest.skip("this kernel has no function that takes the enumeration that is looked at")
    number = next(each.number for each in direction.arguments if each.type.startswith("enum "))
    assert names_of(found, number)[1] == "DMA_TO_DEVICE"


def test_a_kernel_that_tells_nothing(tmp_path):
    silent = KernelTypes(str(tmp_path))
    assert silent.of() is None
    assert silent.prototype("vfs_read") is None
    assert silent.raw_prototype("sched_switch") is None
