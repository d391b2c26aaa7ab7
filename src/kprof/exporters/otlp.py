"""Exporter of OpenTelemetry's profiles (OTLP), which are experimental: another version may not read them.

Source: see `kprof.wire.otlp`. One profile an event, whose samples have one value and one time each; row 0 of
every table is empty. Times are of the recorder's clock, which seldom is that of the day. How many samples a
row stands for is an attribute.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from kprof.errors import NotAvailableError
from kprof.model import Kind, Profile
from kprof.model.labels import UNKNOWN, split_source
from kprof.wire import otlp as wire

_TYPES = {
    Kind.USER: "native", Kind.KERNEL: "kernel", Kind.MODULE: "kernel", Kind.VDSO: "native",
    Kind.PYTHON: "cpython", Kind.JS: "v8js", Kind.JAVA: "jvm", Kind.INLINED: "native",
}  # fmt: skip


def render(profile: Profile) -> bytes:
    """Return a profile, all its events included, as a serialised `ProfilesData`.

    Raises:
        NotAvailableError: opentelemetry-proto is not installed.
    """
    try:
        from opentelemetry.proto.profiles.v1development import profiles_pb2  # noqa: PLC0415 - an extra
    except ImportError:
        raise NotAvailableError("OTLP needs opentelemetry-proto", f"install it: {wire.EXTRA}") from None
    return _Writing(profile, profiles_pb2).data()


class _Writing:
    """One profile on its way to a message."""

    def __init__(self, profile: Profile, messages: Any) -> None:
        self._profile, self._messages = profile, messages
        self._message = messages.ProfilesData()
        self._dictionary = self._message.dictionary
        self._texts: dict[str, int] = {}
        self._attributes: dict[tuple[str, str | int], int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        self._stacks: dict[int, int] = {-1: 0}
        for table in ("mapping", "location", "function", "link", "attribute", "stack"):
            getattr(self._dictionary, f"{table}_table").add()
        self._text("")

    def data(self) -> bytes:
        """Return the bytes. Equal profiles give equal ones."""
        self._mappings()
        self._locations()
        resource = self._message.resource_profiles.add()
        for key, value in self._facts().items():
            attribute = resource.resource.attributes.add()
            attribute.key, attribute.value.string_value = key, _clean(value)
        scope = resource.scope_profiles.add()
        scope.scope.name = "kprof"
        for row, event in enumerate(self._profile.meta.events):
            made = scope.profiles.add()
            made.sample_type.type_strindex = self._text(event.name)
            made.sample_type.unit_strindex = self._text(wire.UNITS.get(event.unit, event.unit))
            self._samples(made, row)
        return bytes(self._message.SerializeToString(deterministic=True))

    def _text(self, text: str) -> int:
        text = _clean(text)
        if text not in self._texts:
            self._texts[text] = len(self._texts)
            self._dictionary.string_table.append(text)
        return self._texts[text]

    def _attribute(self, key: str, value: str | int) -> int:
        known = (key, value)
        if known not in self._attributes:
            made = self._dictionary.attribute_table.add()
            made.key_strindex = self._text(key)
            if isinstance(value, int):
                made.value.int_value = value
            else:
                made.value.string_value = _clean(value)
            self._attributes[known] = len(self._dictionary.attribute_table) - 1
        return self._attributes[known]

    def _facts(self) -> dict[str, str]:
        meta = self._profile.meta
        facts = {wire.FACTS.get(key, wire.OTHER_FACTS + key): value for key, value in meta.facts.items()}
        return facts | {wire.QUALITY: json.dumps(asdict(meta.quality))}

    def _mappings(self) -> None:
        mappings, frames = self._profile.mappings, self._profile.frames
        for row, path in enumerate(mappings.path):
            made = self._dictionary.mapping_table.add()
            addresses = frames.address[frames.mapping == row]
            made.memory_limit = min(int(addresses.max(initial=0)) + 1, (1 << 64) - 1)
            made.filename_strindex = self._text(path)
            if mappings.build_id and mappings.build_id[row]:
                made.attribute_indices.append(self._attribute(wire.BUILD_ID, mappings.build_id[row]))

    def _locations(self) -> None:
        frames = self._profile.frames
        sources = frames.source or [""] * len(frames)
        columns = (
            frames.name,
            sources,
            frames.mapping.tolist(),
            frames.address.tolist(),
            frames.kind.tolist(),
        )
        for name, source, mapping, address, number in zip(*columns, strict=True):
            made, kind = self._dictionary.location_table.add(), Kind(number)
            made.mapping_index, made.address = mapping + 1, address
            if kind in _TYPES:
                made.attribute_indices.append(self._attribute(wire.FRAME_TYPE, _TYPES[kind]))
            made.attribute_indices.append(self._attribute(wire.FRAME_KIND, kind.name.lower()))
            if name != UNKNOWN or source:
                file, line = split_source(source)
                found = made.lines.add()
                found.function_index, found.line = self._function(name, file), line

    def _function(self, name: str, file: str) -> int:
        if (name, file) not in self._functions:
            made = self._dictionary.function_table.add()
            made.name_strindex, made.filename_strindex = self._text(name), self._text(file)
            self._functions[name, file] = len(self._dictionary.function_table) - 1
        return self._functions[name, file]

    def _stack(self, stack: int) -> int:
        if stack not in self._stacks:
            made, at = self._dictionary.stack_table.add(), stack
            while at >= 0:
                made.location_indices.append(int(self._profile.stacks.frame[at]) + 1)
                at = int(self._profile.stacks.parent[at])
            self._stacks[stack] = len(self._dictionary.stack_table) - 1
        return self._stacks[stack]

    def _samples(self, made: Any, event: int) -> None:
        samples = self._profile.samples
        rows = (samples.event == event).nonzero()[0].tolist()
        numbers = {key: getattr(samples, name) for key, name in wire.NUMBERS.items()}
        texts = {"comm": self._profile.comms, "cgroup": self._profile.cgroups}
        for row in rows:
            sample = made.samples.add()
            sample.stack_index = self._stack(int(samples.stack[row]))
            sample.values.append(int(samples.weight[row]))
            if samples.time_ns is not None and samples.time_ns[row] >= 0:
                sample.timestamps_unix_nano.append(int(samples.time_ns[row]))
            for key, column in numbers.items():
                # One sample a row needs no saying.
                usual = 1 if key == "kprof.sample.count" else -1
                if column is not None and column[row] != usual:
                    sample.attribute_indices.append(self._attribute(key, int(column[row])))
            for key, name in wire.TEXTS.items():
                column = getattr(samples, name)
                if column is not None and column[row] >= 0:
                    sample.attribute_indices.append(self._attribute(key, texts[name][int(column[row])]))


def _clean(text: str) -> str:
    """Protocol buffers hold UTF-8 alone."""
    return text.encode(errors="replace").decode()
