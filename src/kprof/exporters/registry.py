"""The formats that kprof writes."""

from collections.abc import Callable
from dataclasses import dataclass

from kprof.errors import UsageError
from kprof.exporters import chrome, firefox, folded, otlp, pprof, speedscope, tables
from kprof.exporters.suffixes import ALL_SUFFIXES, SUFFIXES
from kprof.model import Profile


@dataclass(frozen=True, slots=True)
class Output:
    """A format.

    Attributes:
        name: What `--to` and messages call it.
        render: Gives the bytes of a profile, which has a title.
        places: Whether it tells places of one function apart.
        several_events: Whether it holds several events.
        every_sample: Whether it keeps samples apart, with their times.
        members: Gives the files of a folder by name, for a format that is one.
    """

    name: str
    render: Callable[[Profile, str], bytes]
    places: bool = False
    several_events: bool = True
    every_sample: bool = False
    members: Callable[[Profile], dict[str, bytes]] | None = None


def _folded(profile: Profile, _title: str) -> bytes:
    return folded.render(profile)[0]


def _html(profile: Profile, title: str) -> bytes:
    # The page's library is needed by no other format.
    from kprof.exporters import html  # noqa: PLC0415

    return html.render(profile, html.PageOptions(title), (), ()).encode(errors="replace")


OUTPUTS = (
    Output("folded", _folded, several_events=False),
    Output("html", _html, every_sample=True),
    Output("pprof", lambda profile, _: pprof.render(profile), places=True),
    Output("speedscope", speedscope.render),
    Output("firefox", firefox.render, every_sample=True),
    Output("chrome", chrome.render, every_sample=True),
    Output("otlp", lambda profile, _: otlp.render(profile), places=True, every_sample=True),
    Output("kprof", lambda profile, _: tables.render(profile), places=True, every_sample=True),
    Output(
        "parquet",
        lambda profile, _: tables.render(profile),
        places=True,
        every_sample=True,
        members=tables.members,
    ),
    Output("json", lambda profile, _: tables.render_json(profile), places=True, every_sample=True),
    Output("csv", lambda profile, _: tables.render_csv(profile), every_sample=True),
)


def find_output(output: str, wanted: str = "") -> Output:
    """Return the format that a name asks for, or that an output's suffix means.

    Args:
        output: Name of the output; `-` is folded stacks if nothing else is wanted.
        wanted: Name of a format; empty to go by the suffix.

    Raises:
        UsageError: There is no such format, or the suffix does not tell.
    """
    for known in OUTPUTS:
        if wanted == known.name or (not wanted and output.endswith(SUFFIXES[known.name])):
            return known
    if not wanted and output == "-":
        return OUTPUTS[0]
    if wanted:
        raise UsageError(
            f"kprof does not write {wanted}", f"it writes {', '.join(known.name for known in OUTPUTS)}"
        )
    raise UsageError(f"cannot tell a format from {output}", f"end it in one of {', '.join(ALL_SUFFIXES)}")
