"""`kprof diff`: two sides to a table of what changed, a page, and a gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from kprof.cli import options as o
from kprof.cli.console import be_quiet, reading, status, warn
from kprof.errors import GateError, UsageError

if TYPE_CHECKING:
    from kprof.analysis.diff import Diff
    from kprof.analysis.gate import Verdict

_SIDES = "More than one recording a side"
_WHAT = "What to show"
_FORM = o.FORM
_TWO = 2


class By(StrEnum):
    """What a row stands for."""

    function = "function"
    module = "module"
    kind = "kind"
    line = "line"


class DiffCommand(TyperCommand):
    """The command, whose --before and --after take as many files as follow them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse `--before a b --after c` as `--before a --before b --after c`."""
        spread: list[str] = []
        side = ""
        for arg in args:
            if arg in {"--before", "--after"}:
                side = arg
            elif arg.startswith("-") and arg != "-":
                side = ""
                spread.append(arg)
            else:
                spread += [side, arg] if side else [arg]
        return super().parse_args(ctx, spread)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is shown."""

    diff: Diff
    verdicts: Sequence[Verdict]
    event: str
    absolute: bool
    number: int


def diff(  # noqa: PLR0917 - Typer passes by name
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BEFORE AFTER]", help="Any recordings or profiles.", show_default=False),
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option("--before", metavar="FILE...", help="Recordings before.", rich_help_panel=_SIDES),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option("--after", metavar="FILE...", help="Recordings after.", rich_help_panel=_SIDES),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="RULE",
            help="Leave with 1 if so: 'self(parse) > +5%' (growth), 'total(module:libssl) > 10%' (share),"
            " 'self(f*) > +2pp' (points of share). May be repeated.",
        ),
    ] = None,
    group_by: Annotated[
        By, typer.Option("--group-by", "-g", help="What a row stands for.", rich_help_panel=_WHAT)
    ] = By.function,
    absolute: Annotated[
        bool,
        typer.Option(
            "--absolute", help="Weights rather than shares of each side's total.", rich_help_panel=_WHAT
        ),
    ] = False,
    number: Annotated[
        int, typer.Option("--number", "-n", min=0, help="Rows to show; 0 is all.", rich_help_panel=_WHAT)
    ] = 25,
    least: Annotated[
        float,
        typer.Option(
            "--min-percent",
            min=0,
            max=100,
            help="Leave out what has less on both sides.",
            rich_help_panel=_WHAT,
        ),
    ] = 0.1,
    as_json: o.AsJson = False,
    as_markdown: o.AsMarkdown = False,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.html",
            help="Also draw a differential flame graph.",
            rich_help_panel=_FORM,
        ),
    ] = "",
    event: o.Event = "",
    only_comm: o.OnlyComm = None,
    start: o.Start = "",
    end: o.End = "",
    focus: o.Focus = "",
    ignore: o.Ignore = "",
    root_at: o.RootAt = "",
    names: o.Names = o.NameForm.plain,
    inline: o.Inline = None,
    quiet: o.Quiet = False,
) -> None:
    """Show what became heavier and what lighter, as shares of each side's own total.

    With two recordings or more a side (five are good) it also says which changes are significant.
    """
    be_quiet(quiet)
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other", "give one")
    if output and not output.endswith(".html"):
        raise UsageError(f"cannot write a page to {output}", "end its name in .html")
    sides = _sides(inputs or [], before or [], after or [])
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.analysis.diff import Options  # noqa: PLC0415
    from kprof.analysis.diff import diff as compare  # noqa: PLC0415
    from kprof.analysis.gate import judge_rules, parse_rule  # noqa: PLC0415
    from kprof.readers import ReadOptions  # noqa: PLC0415

    rules = [parse_rule(text) for text in fail_on or ()]
    files = [*sides[0], *sides[1]]
    pipeline.check_not_an_input(output, files)
    keep = o.FilterOptions(only_comm, None, None, None, start, end, focus, ignore, root_at)
    read = ReadOptions(names=names.value, ids=False)
    choice = pipeline.Choice(read, event, keep.build(), inline, group_by is By.line)
    with reading(files) as progress:
        profiles = pipeline.read_each(files, choice, progress=progress)
    first, second = profiles[: len(sides[0])], profiles[len(sides[0]) :]
    changes = compare(first, second, Options(group_by.value, absolute, least / 100))
    verdicts = judge_rules(rules, first, second) if rules else []
    found = _Found(changes, verdicts, first[0].meta.events[0].name, absolute, number)
    pipeline.write_text(_text(found, "json" if as_json else "markdown" if as_markdown else "text"), "-")
    if output:
        facts = {"before": ", ".join(sides[0]), "after": ", ".join(sides[1])}
        title = " to ".join(PurePath(side[0]).name for side in sides)
        status(f"wrote {pipeline.write_difference(first, second, output, title=title, facts=facts)}")
    _decide(verdicts)


def _sides(inputs: list[str], before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    if inputs and (before or after):
        raise UsageError("BEFORE AFTER and --before, --after exclude each other", "give one of the two")
    if len(inputs) == _TWO:
        before, after = inputs[:1], inputs[1:]
    elif inputs:
        raise UsageError(
            f"two recordings are compared, not {len(inputs)}", "give more with --before A... --after B..."
        )
    if not before or not after:
        raise UsageError("a side is missing", "kprof diff BEFORE AFTER, or --before A... --after B...")
    if [*before, *after].count("-") > 1:
        raise UsageError("standard input can be read once", "name files instead")
    return before, after


def _text(found: _Found, form: str) -> str:
    from kprof.cli import diff_view as view  # noqa: PLC0415 - rich takes 50 ms to import

    if form == "json":
        return view.to_json(found.diff, found.verdicts, found.event, absolute=found.absolute)
    shown = view.Shown(found.diff, found.verdicts, found.event, found.absolute, found.number)
    return view.to_markdown(shown) if form == "markdown" else view.to_text(shown)


def _decide(verdicts: Sequence[Verdict]) -> None:
    """Raise if a rule is broken, and say what else a reader of the gate must know."""
    for verdict in verdicts:
        if verdict.unmet:
            warn(f"{verdict.rule.text}: no such function or module on either side")
        elif verdict.over and not verdict.fails:
            status(f"{verdict.reason}: past the limit, but within what runs vary")
    broken = [verdict.reason for verdict in verdicts if verdict.fails]
    if broken:
        raise GateError("; ".join(broken))
