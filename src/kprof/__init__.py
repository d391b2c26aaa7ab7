"""kprof: from "it is slow" to "this function is why".

Example:
    >>> import kprof
    >>> profile = kprof.read("samples/kernel-io.perf-script.txt.gz")
    >>> profile.total
    884653938
"""

from importlib import import_module
from typing import Any

# Their types are in the stub.
__all__ = [
    "AgreementView",
    "DiffView",
    "FlameGraph",
    "ProfileView",
    "compare",
    "diff",
    "read",
    "record",
]


def __getattr__(name: str) -> Any:
    # Only when asked for: every command imports this module, and `kprof --help` needs no numpy.
    if name in __all__:
        return getattr(import_module("kprof.api"), name)
    if name == "load_ipython_extension":
        # What `%load_ext kprof` calls.
        return getattr(import_module("kprof.api.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
