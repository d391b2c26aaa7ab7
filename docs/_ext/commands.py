# ruff: noqa: INP001 - Sphinx imports it by its name alone
"""Sphinx extension: the reference of the commands, made from the Typer app while the pages are built.

It puts Markdown in the place of the line `<!-- commands -->` of the page `reference/cli`. Every option
becomes a target, so that a page can say {option}`kprof fold --compat`.
"""

import enum
import re
import typing
from collections.abc import Iterator
from typing import Any

PAGE = "reference/cli"
PLACE = "<!-- commands -->"
_NUMBERS = {int: "INTEGER", float: "NUMBER"}
_PLAIN = (None, "", False, (), [])


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("env-get-outdated", lambda *_: [PAGE])
    app.connect("source-read", _fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _fill(_app: Any, page: str, source: list[str]) -> None:
    if page == PAGE:
        source[0] = source[0].replace(PLACE, "\n".join(reference()))


def reference() -> Iterator[str]:
    """Give the lines of the reference."""
    from typer.main import get_command  # noqa: PLC0415 - conf.py must stay cheap to read

    from kprof.cli import app  # noqa: PLC0415

    root = get_command(app)
    yield from _command(root, root.name or "kprof")
    yield from _walk(root, root.name or "kprof")


def _walk(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        full = f"{path} {name}"
        yield from _command(command, full)
        if hasattr(command, "commands"):
            yield from _walk(command, full)


def _command(command: Any, path: str) -> Iterator[str]:
    yield from (f"## {path}", "", "```text", f"{path} {' '.join(_usage(command))}", "```", "")
    yield from (_text(command.help or ""), "")
    hints = typing.get_type_hints(command.callback) if command.callback else {}
    yield from (f"```{{program}} {path}", "```", "")
    panels: dict[str, list[Any]] = {}
    for parameter in command.params:
        if _is_argument(parameter):
            yield from (f"`{_argument_name(parameter)}`", f": {_text(parameter.help or '')}", "")
        elif not parameter.hidden:
            panels.setdefault(parameter.rich_help_panel or "Options", []).append(parameter)
    for panel, parameters in panels.items():
        if len(panels) > 1:
            yield from (f"### {panel}", "")
        for parameter in parameters:
            yield from _option(parameter, hints.get(parameter.name))
    if command.epilog:
        yield from (re.sub(r"^Example: (.*)$", r"Example: `\1`", command.epilog), "")


def _option(parameter: Any, hint: Any) -> Iterator[str]:
    value = _metavar(parameter, hint)
    names = ", ".join(f"{name} {value}".rstrip() for name in parameter.opts)
    text = _text(parameter.help or "")
    if parameter.multiple:
        text += " May be given several times."
    default = parameter.default
    if default not in _PLAIN and "Default:" not in text:
        text += f" Default: `{default.value if isinstance(default, enum.Enum) else default}`."
    yield from (f"````{{option}} {names}", text, "````", "")


def _usage(command: Any) -> Iterator[str]:
    yield "[OPTIONS]"
    if hasattr(command, "commands"):
        yield "COMMAND [ARGS]..."
    for parameter in command.params:
        if _is_argument(parameter):
            yield _argument_name(parameter)


def _is_argument(parameter: Any) -> bool:
    return not parameter.opts[0].startswith("-")


def _argument_name(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _metavar(parameter: Any, hint: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    for kind in _kinds(hint):
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return "|".join(str(choice.value) for choice in kind)
        if kind in _NUMBERS:
            return _NUMBERS[kind]
    return "TEXT"


def _kinds(hint: Any) -> Iterator[Any]:
    yield hint
    for part in typing.get_args(hint):
        yield from _kinds(part)


def _text(text: str) -> str:
    """Undo the escapes of Rich markup, which are no escapes in Markdown."""
    return re.sub(r"(\S*)\\\[(\S*?\])", r"`\1[\2`", text)
