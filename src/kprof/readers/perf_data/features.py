"""Feature sections: what a recording says of itself."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from kprof.readers.perf_data.event_names import names_by_simpleperf, names_of_tracepoints
from kprof.wire import perf_file as wire

_BUILD_ID_HEAD = 36
_MAX_BUILD_ID = 20


@dataclass(slots=True)
class Features:
    """What is known of the recording.

    Attributes:
        order: `<` or `>`, the byte order of the file.
        build_ids: Build-id in hex of each path.
        events: Name and ids of every event, in their order.
        facts: Host, kernel, command and perf's version.
        tracepoints: Names of tracepoints by their number.
        event_types: Names of events by type and config.
        tracing: The formats of tracepoints, as perf keeps them.
    """

    order: str = "<"
    build_ids: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    tracepoints: dict[int, str] = field(default_factory=dict)
    event_types: dict[tuple[int, int], str] = field(default_factory=dict)
    tracing: bytes = b""

    def add(self, number: int, data: bytes) -> None:
        """Interpret a section. One that is damaged is left out: samples do not depend on it."""
        texts = {wire.FEATURE_HOSTNAME: "host", wire.FEATURE_OSRELEASE: "kernel", wire.FEATURE_ARCH: "arch"}
        try:
            if number == wire.FEATURE_BUILD_ID:
                self.build_ids.update(self._build_ids(data))
            elif number == wire.FEATURE_EVENT_DESC:
                self.events = list(self._events(data))
            elif number == wire.FEATURE_VERSION:
                self.facts["recorder"] = f"perf {self._text(data, 0)[0]}"
            elif number == wire.FEATURE_TRACING_DATA:
                self.tracing = data
                self.tracepoints.update(names_of_tracepoints(data))
            elif number == wire.FEATURE_META_INFO:
                self.event_types.update(names_by_simpleperf(data))
            elif number in texts:
                self.facts[texts[number]] = self._text(data, 0)[0]
            elif number == wire.FEATURE_CMDLINE:
                self.facts["command"] = " ".join(self._command(data))
        except (struct.error, ValueError):
            return

    def add_build_id(self, record: bytes) -> None:
        """Interpret a whole record of type BUILD_ID."""
        self.add(wire.FEATURE_BUILD_ID, record)

    def name_of(self, kind: int, config: int) -> str:
        """Return the name of an event that the list of events does not name."""
        known = self.event_types.get((kind, config)) or wire.EVENT_NAMES.get((kind, config))
        if kind != wire.TYPE_TRACEPOINT:
            return known or f"event {kind}:{config:x}"
        return self.tracepoints.get(config) or known or f"tracepoint {config}"

    def _text(self, data: bytes, at: int) -> tuple[str, int]:
        (size,) = struct.unpack_from(f"{self.order}I", data, at)
        text = data[at + 4 : at + 4 + size].partition(b"\0")[0]
        return text.decode("utf-8", "surrogateescape"), at + 4 + size

    def _command(self, data: bytes) -> Iterator[str]:
        (count,) = struct.unpack_from(f"{self.order}I", data)
        at = 4
        for _ in range(min(count, len(data) // 4)):
            text, at = self._text(data, at)
            yield text

    def _build_ids(self, data: bytes) -> Iterator[tuple[str, str]]:
        at = 0
        while at + _BUILD_ID_HEAD <= len(data):
            _, misc, size = struct.unpack_from(f"{self.order}IHH", data, at)
            if size < _BUILD_ID_HEAD:
                return
            length = data[at + 32] if misc & wire.MISC_BUILD_ID_SIZE else _MAX_BUILD_ID
            build_id = data[at + 12 : at + 12 + min(length, _MAX_BUILD_ID)]
            path = data[at + _BUILD_ID_HEAD : at + size].partition(b"\0")[0]
            yield path.decode("utf-8", "surrogateescape"), build_id.hex()
            at += size

    def _events(self, data: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
        count, attr_size = struct.unpack_from(f"{self.order}II", data)
        at = 8
        for _ in range(count):
            at += attr_size
            (ids,) = struct.unpack_from(f"{self.order}I", data, at)
            name, at = self._text(data, at + 4)
            yield name, struct.unpack_from(f"{self.order}{ids}Q", data, at)
            at += ids * 8
