"""A diagnosis for a person, and as JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kprof.survey.findings import Engine, Finding, State

if TYPE_CHECKING:
    from kprof.survey.doctor import Diagnosis

_WIDTH_OF_FILES, _NAME, _LONGEST_NAME = 120, 24, 44
_MARKS = {
    State.GOOD: ("✓", "green"),
    State.LIMITED: ("!", "yellow"),
    State.MISSING: ("✗", "bold red"),
    State.UNKNOWN: ("?", "cyan"),
}
_TITLES = {"kernel": "Kernel", "settings": "Settings", "tools": "Tools", "binaries": "Binaries"}


def to_json(found: Diagnosis) -> str:
    """Return one object."""
    whole = {
        "can_record": found.can_record,
        "findings": [asdict(finding) for finding in found.findings],
        "engines": [asdict(engine) for engine in found.engines],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def to_text(found: Diagnosis) -> str:
    """Return what a person reads, in colours if standard output is a terminal."""
    ended = sys.stdout is not None and sys.stdout.isatty()
    console = Console(
        force_terminal=ended, width=None if ended else _WIDTH_OF_FILES, highlight=False, markup=False,
        no_color=not ended or "NO_COLOR" in os.environ, emoji=False,
    )  # fmt: skip
    with console.capture() as captured:
        for topic, title in _TITLES.items():
            mine = [finding for finding in found.findings if finding.topic == topic]
            if mine:
                console.print(Text(title, "bold"))
                console.print(_findings(mine))
        console.print(Text("What records here", "bold"))
        console.print(_engines(found.engines))
        console.print(Text(_verdict(found), "bold green" if found.can_record else "bold red"))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _findings(findings: list[Finding]) -> Any:
    grid = Table.grid(padding=(0, 2, 0, 0))
    longest = max(len(finding.name) for finding in findings)
    grid.add_column(width=1)
    grid.add_column(width=max(_NAME, min(longest, _LONGEST_NAME)), overflow="fold")
    grid.add_column(overflow="fold")
    for finding in findings:
        grid.add_row(Text(*_MARKS[finding.state]), Text(finding.name), _cell(finding))
    return Padding(grid, (0, 0, 1, 1))


def _cell(finding: Finding) -> Text:
    text = Text(finding.value)
    if finding.meaning:
        text.append(f"\n{finding.meaning}", "dim" if finding.state is State.GOOD else "yellow")
    if finding.mend:
        text.append(f"\n→ {finding.mend}", "cyan")
    return text


def _engines(engines: Any) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1), show_lines=False)
    for name, ratio in (("backend", 0), ("engine", 0), ("works", 0), ("for", 5), ("needs", 4), ("tried", 6)):
        table.add_column(name, ratio=ratio or None, no_wrap=not ratio, overflow="fold")
    for engine in engines:
        table.add_row(
            engine.backend, engine.name, _works(engine), engine.purpose, engine.needs, _tried(engine),
            end_section=True,
        )  # fmt: skip
    return table


def _works(engine: Engine) -> Text:
    if engine.works is None:
        return Text("not tried", "cyan")
    return Text("yes", "green") if engine.works else Text("no", "bold red")


def _tried(engine: Engine) -> Text:
    text = Text(engine.proof)
    if engine.mend:
        text.append(f"\n→ {engine.mend}", "cyan")
    return text


def _verdict(found: Diagnosis) -> str:
    works = [e.name for e in found.engines if e.works and e.in_use]
    if works:
        named = " and ".join([", ".join(works[:-1]), works[-1]] if len(works) > 1 else works)
        return f"kprof record works here, with {named}."
    return "Nothing records here; the lines with → say what mends that."
