"""What a recording cost: measured, not claimed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a recording took.

    Attributes:
        user: CPU seconds of the recorder in programs, from its start to a whole file.
        system: CPU seconds of the recorder in the kernel. What sampling itself takes is the target's time.
        waits: How often the recorder went to sleep, and so had to be woken up.
        moved: Bytes from kernel to user; None if not known.
        asked: Samples that the rate asks for in the target's CPU time; None where there is no rate.
        taken: Samples in the profile, of the event that is compared.
        lost: Samples that the recorder says were lost.
        disk: Bytes of the recording.
        start: Seconds until it sampled.
        finish: Seconds from its end until there was a profile.
    """

    user: float
    system: float
    waits: float
    moved: float | None
    asked: float | None
    taken: float
    lost: float
    disk: float
    start: float
    finish: float

    def numbers(self) -> dict[str, Any]:
        """Return each figure by its name: seconds, bytes and counts."""
        return asdict(self)

    def rows(self) -> dict[str, str]:
        """Return each figure as text, by its name."""
        return {
            "CPU of the recorder, user": f"{self.user:.3f} s",
            "CPU of the recorder, system": f"{self.system:.3f} s",
            "wake-ups of the recorder": f"{self.waits:,.0f}",
            "from kernel to user": NOT_KNOWN if self.moved is None else f"{self.moved / 1e3:,.0f} kB",
            "samples asked for": NOT_KNOWN if self.asked is None else f"{self.asked:,.0f}",
            "samples taken": f"{self.taken:,.0f}",
            "samples lost": f"{self.lost:,.0f}",
            "size on disk": f"{self.disk / 1e3:,.0f} kB",
            "until it samples": f"{self.start:.2f} s",
            "from stop to profile": f"{self.finish:.2f} s",
        }


def middle(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure over several rounds."""
    columns = {name: [each.numbers()[name] for each in costs] for name in costs[0].numbers()}
    found: dict[str, Any] = {n: None if None in column else median(column) for n, column in columns.items()}
    return Cost(**found)
