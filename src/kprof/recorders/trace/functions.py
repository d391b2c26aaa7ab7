"""Functions of the kernel and of programs, and raw tracepoints, as events that are traced."""

import platform
import re
from collections.abc import Mapping, Sequence

from kprof.elf.btf import CHARACTERS, Argument, Btf, Prototype
from kprof.elf.btf_members import names_of, shape_of
from kprof.elf.btf import PTR, STRUCT, UNION
from kprof.elf.kernel_types import KernelTypes
from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf.functions import seen_by_target
from kprof.recorders.bpf.sources import Function, Kprobe
from kprof.recorders.request import RecordRequest
from kprof.recorders.trace.events import Program, TracedEvent
from kprof.recorders.trace.fields import BUILT_IN, DURATION, OF_TASK, Field, Place
from kprof.wire import trace_events as wire
