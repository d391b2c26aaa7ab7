"""kprof for Python and notebooks: record or read a profile, ask it, look at it.

Each call is one of what the commands are made of, so that both give the same numbers.
"""

from kprof.api.agreeing import AgreementView, compare
from kprof.api.comparing import DiffView
from kprof.api.pictures import FlameGraph
from kprof.api.reading import diff, read
from kprof.api.recording import record
from kprof.api.views import ProfileView

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
