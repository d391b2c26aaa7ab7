"""What the name of a file tells about the code in it."""

import re

from kprof.model import Kind

_KERNEL = re.compile(r"\[kernel|\[guest\.kernel|/?vmlinux|/?vmlinuz|/boot/vmlinu")
_MODULE = re.compile(r".*\.ko(\.(gz|xz|zst))?$|\[[\w-]+\]$")
_JIT = re.compile(r"(.*/)?(perf-\d+\.map|jitted-\d+-\d+\.so)$|//anon|\[anon|anon$|\[JIT\]|/memfd:")
_VDSO = ("[vdso]", "[vdso32]", "linux-vdso.so.1", "[vsyscall]")
_NOT_MODULES = ("[heap]", "[stack]", "[unknown]")


def kind_of_module(path: str) -> Kind:
    """Return the kind of the frames of a file, by its path."""
    if path in _VDSO:
        return Kind.VDSO
    if _KERNEL.match(path):
        return Kind.KERNEL
    if _JIT.match(path):
        return Kind.JIT
    if path not in _NOT_MODULES and _MODULE.match(path):
        return Kind.MODULE
    return Kind.USER
