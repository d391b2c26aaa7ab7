"""Places in programs and libraries: `uprobe:PATH:FUNCTION`, `usdt:PATH:PROVIDER:NAME`."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from kprof.elf import ElfFile
from kprof.elf.functions import functions_of
from kprof.elf.search import FileFinder
from kprof.elf.usdt import probes_of
from kprof.errors import UsageError
from kprof.recorders.bpf.binaries import find_binaries, open_binary
from kprof.recorders.bpf.sources import Place, Places, Source
from kprof.recorders.request import RecordRequest
from kprof.wire import bpf_events as layout

# More would take the kernel minutes to attach, and slow down whatever runs through them.
MOST_PLACES = 10_000
# A path may hold colons; a function's name of C has none.
_FUNCTION = re.compile(r"^(u(?:ret)?probe):(.+):([^:+]+)(?:\+(0x[0-9a-fA-F]+|\d+))?$")
_PROBE = re.compile(r"^usdt:(.*):([^:]*):([^:]+)$")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+")
_WILDCARDS = re.compile(r"[*?\[]")
_CLOSE = 3


def function_source(text: str, request: RecordRequest) -> Source:
    """Return the source of `uprobe:PATH:FUNCTION[+OFFSET]`, of `uretprobe:`, or of `usdt:`.

    Raises:
        UsageError: It is not written so, or there is no such file, function or probe; or there are too many.
    """
    made = _probes(text, request) if text.startswith("usdt:") else _functions(text, request)
    hooks = [hook for hook in made if hook.places]
    source = Source(text, "events", "sample", ("function",), hooks, layout.USER)
    if source.places > MOST_PLACES:
        raise UsageError(
            f"{text} fits {source.places:,} places, and at most {MOST_PLACES:,} are watched at once",
            "narrow the pattern; kprof events -b FILE PATTERN lists what fits",
        )
    return source


def is_pattern(text: str) -> bool:
    """Say whether an event may stand for several places."""
    return bool(_WILDCARDS.search(text)) or text.startswith("usdt:")


def _functions(text: str, request: RecordRequest) -> list[Places]:
    match = _FUNCTION.match(text)
    if not match:
        raise UsageError(
            f"{text}: not a function", "write uprobe:PATH:FUNCTION, as in uprobe:/bin/bash:readline"
        )
    kind, path, symbol, offset = match.groups()
    distance = int(offset, 0) if offset else 0
    files = find_binaries(path, request)
    if _NUMBER.fullmatch(symbol):
        places = [Place("", int(symbol, 16) + distance, starts=False)]
        return [Places(file, places, kind == "uretprobe") for file in files]
    found = [Places(file, _matching(file, symbol, distance), kind == "uretprobe") for file in files]
    if not any(each.places for each in found):
        advice = _similar(symbol, [name for file in files for name, _ in _named(open_binary(file))])
        raise UsageError(f"there is no function {symbol} in {', '.join(files)}", advice)
    return found


def _matching(path: str, pattern: str, distance: int) -> list[Place]:
    elf = open_binary(path)
    own = [(name, address) for name, address in _named(elf) if fnmatchcase(name, pattern)]
    if not own and (debug := FileFinder().find_debug(elf)):
        # It was stripped of what its debug file still names.
        own = [(name, address) for name, address in _named(debug) if fnmatchcase(name, pattern)]
    return _places(elf, own, distance)


def _named(elf: ElfFile) -> Iterator[tuple[str, int]]:
    # Tables that are not needed for linking hold versions within names.
    yield from ((each.name.partition("@")[0], each.address) for each in functions_of(elf))


def _places(elf: ElfFile, named: Iterable[tuple[str, int]], distance: int = 0) -> list[Place]:
    """Return where functions begin, each once, whatever names it has."""
    made: dict[int, Place] = {}
    for name, address in named:
        offset = elf.address_to_offset(address)
        if offset is not None:
            made.setdefault(offset, Place(name, offset + distance, starts=not distance))
    return list(made.values())


def named_places(path: str, weights: Mapping[str, int]) -> list[Place]:
    """Return where the functions of a file begin that have a weight; those that it lacks are left out.

    Raises:
        UsageError: It is no program and no library.
    """
    elf = open_binary(path)
    found = _places(elf, ((name, at) for name, at in _named(elf) if name in weights))
    return [Place(place.name, place.offset, weight=weights[place.name]) for place in found]


def _probes(text: str, request: RecordRequest) -> list[Places]:
    match = _PROBE.match(text)
    if not match:
        raise UsageError(
            f"{text}: not a probe", "write usdt:PATH:PROVIDER:NAME; kprof events -b PATH usdt lists them"
        )
    path, provider, name = match.groups()
    files = find_binaries(path or "*", request)
    found = [Places(file, _fitting(open_binary(file), provider or "*", name)) for file in files]
    if not any(each.places for each in found):
        names = [f"{p.provider}:{p.name}" for file in files for p in probes_of(open_binary(file))]
        where = ", ".join(files) if path else "what the target uses"
        advice = _similar(f"{provider}:{name}", names) if names else f"{where} has no probes at all"
        raise UsageError(f"there is no probe {provider}:{name} in {where}", advice)
    return found


def _fitting(elf: ElfFile, provider: str, name: str) -> list[Place]:
    """Return the places of the probes that fit; one name may have several."""
    made: dict[int, Place] = {}
    for probe in probes_of(elf):
        offset = elf.address_to_offset(probe.address)
        if offset is None or not (fnmatchcase(probe.provider, provider) and fnmatchcase(probe.name, name)):
            continue
        semaphore = elf.address_to_offset(probe.semaphore) if probe.semaphore else 0
        made[offset] = Place(f"{probe.provider}:{probe.name}", offset, semaphore or 0, starts=False)
    return list(made.values())


def _similar(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, list(dict.fromkeys(known)), _CLOSE)
    return f"there is {', '.join(near)}" if near else "kprof events -b FILE lists what is there"
