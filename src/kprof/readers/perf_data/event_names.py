"""Names of events that a recording does not list: of tracepoints by their formats, and simpleperf's own."""

from kprof.readers.perf_data.tracing_data import formats_of, head_of

_EVENT_TYPES = b"event_type_info"


def names_of_tracepoints(data: bytes) -> dict[int, str]:
    """Return the name of each tracepoint by its number, as far as the formats are whole.

    Args:
        data: What perf keeps of the formats.
    """
    heads = ((system, head_of(text)) for system, text in formats_of(data))
    return {head[1]: f"{system}:{head[0]}" for system, head in heads if head}


def names_by_simpleperf(section: bytes) -> dict[tuple[int, int], str]:
    """Return the name of each event by its type and config, from simpleperf's section of keys and values."""
    words = section.split(b"\0")
    values = dict(zip(words[::2], words[1::2], strict=False))
    names = {}
    for line in values.get(_EVENT_TYPES, b"").decode(errors="surrogateescape").splitlines():
        name, *numbers = line.rsplit(",", 2)
        if len(numbers) == 2 and all(number.isdecimal() for number in numbers):  # noqa: PLR2004 - type, config
            names[int(numbers[0]), int(numbers[1])] = name
    return names
