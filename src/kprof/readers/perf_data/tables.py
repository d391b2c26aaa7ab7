"""What the native reader gives, as a Profile."""

from kprof._native._perf import PerfReader
from kprof.model import Meta, Profile, Quality, Stacks
from kprof.model.events import event_of
from kprof.readers.addresses import count_truncated, frames_of, mappings_of, text
from kprof.readers.options import ReadOptions
from kprof.readers.perf_data.features import Features
from kprof.readers.rows import samples_of

_TRACE = "there is one (of Intel PT, Arm SPE, CoreSight or the like), which is not decoded"


def profile_of(
    reader: PerfReader, features: Features, names: dict[int, str], options: ReadOptions, *, cut: bool
) -> Profile:
    """Return the profile of all that was read.

    Args:
        reader: At its end.
        features: What the recording says of itself.
        names: Names of events by number.
        options: What the reader was asked for.
        cut: Whether the file ends before it should.
    """
    tables, counts = reader.tables(), reader.counts()
    rows = tables["rows"]
    types = reader.event_types()
    events = tuple(event_of(names.get(i) or features.name_of(*types[i])) for i in range(len(types)))
    cut_rows = count_truncated(tables)
    facts = {**features.facts, **({"hardware trace": _TRACE} if counts["aux"] else {})}
    return Profile(
        mappings_of(tables, features.build_ids),
        frames_of(tables),
        Stacks(tables["parent"], tables["leaf"]),
        samples_of(rows, every_sample=options.every_sample),
        [text(comm) for comm in tables["comms"]],
        Meta(events or (event_of("samples"),), _quality(counts, cut_rows, cut=cut), facts),
        [text(path) for path in tables["cgroups"]],
    )


def _quality(counts: dict[str, int], truncated: int, *, cut: bool) -> Quality:
    # Counted twice: as gaps in the ring buffers, and (since Linux 6.1) by the events when they end.
    lost = max(counts["lost"], counts["lost_samples"])
    unread = counts["unknown_events"] + counts["unreadable_samples"]
    return Quality(
        read=counts["samples"],
        lost={"recorder": lost} if lost else {},
        without_stack=counts["without_stack"],
        truncated=truncated,
        skipped_lines=unread + counts["bad_records"] + (1 if cut or counts["cut_off"] else 0),
        filtered={"recorder's filter": counts["filtered"]} if counts["filtered"] else {},
    )
