"""What formats of other programs have no place for, as a member `kprof` beside what they know.

Other readers pass over it; kprof's restore the profile from it as it was.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from kprof.model import Profile
from kprof.model.labels import unknown_frames
from kprof.model.tables import Int64

_KEYS = ("event", "comm", "pid", "tid", "cgroup")
_COLUMNS = ("weight", "count", "cpu", "time_ns")


def threads(profile: Profile) -> list[Int64]:
    """Return the rows of each event and thread, the heaviest thread of the first event first.

    Rows are in the order of time, if it is known.
    """
    samples = profile.samples
    nothing = np.full(len(samples), -1, np.int64)
    keys = [getattr(samples, name) for name in _KEYS]
    table = np.stack([nothing if key is None else key for key in keys], axis=1)
    distinct, of = np.unique(table, axis=0, return_inverse=True)
    of = of.reshape(-1)
    order = np.argsort(of, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(of[order])) + 1) if len(order) else []
    if samples.time_ns is not None:
        rows = [group[np.argsort(samples.time_ns[group], kind="stable")] for group in rows]
    weights = [int(samples.weight[group].astype(object).sum()) for group in rows]
    ranked = sorted(range(len(rows)), key=lambda i: (int(distinct[i, 0]), -weights[i]))
    return [rows[i] for i in ranked]


def thread_title(profile: Profile, row: int, *, with_ids: bool = True) -> str:
    """Return what the thread of a row is called, with the event if there are several."""
    event = profile.meta.events[int(profile.samples.event[row])].name
    samples, title = profile.samples, event
    comm = -1 if samples.comm is None else int(samples.comm[row])
    who = profile.comms[comm] if comm >= 0 else ""
    known = (samples.pid, samples.tid) if with_ids else ()
    ids = [int(column[row]) for column in known if column is not None]
    who = " ".join(part for part in (who, "/".join(map(str, ids))) if part)
    if who:
        title = who if len(profile.meta.events) == 1 else f"{event}: {who}"
    return title


def beside(profile: Profile, groups: list[Int64]) -> dict[str, Any]:
    """Return the member: events, facts, quality, files, places of frames, and columns of samples.

    Args:
        profile: The profile.
        groups: Its rows, as the threads of the file have them.
    """
    frames, samples, mappings = profile.frames, profile.samples, profile.mappings
    columns = {name: getattr(samples, name) for name in _COLUMNS}
    threads = []
    for rows in groups:
        first = int(rows[0])
        thread: dict[str, Any] = {
            name: int(getattr(samples, name)[first])
            for name in ("event", "pid", "tid")
            if getattr(samples, name) is not None
        }
        for name, texts in (("comm", profile.comms), ("cgroup", profile.cgroups)):
            column = getattr(samples, name)
            if column is not None and column[first] >= 0:
                thread[name] = texts[int(column[first])]
        threads.append(
            thread | {name: column[rows].tolist() for name, column in columns.items() if column is not None}
        )
    return {
        "events": [asdict(event) for event in profile.meta.events],
        "facts": profile.meta.facts,
        "quality": asdict(profile.meta.quality),
        "mappings": {
            "path": list(mappings.path),
            "build_id": list(mappings.build_id or [""] * len(mappings)),
        },
        "frames": {
            "mapping": frames.mapping.tolist(),
            "address": frames.address.tolist(),
            "kind": frames.kind.tolist(),
            "unknown": unknown_frames(frames),
        },
        "profiles": threads,
    }
