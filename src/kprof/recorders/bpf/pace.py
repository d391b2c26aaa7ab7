"""How often rows are moved out of the kernel: as seldom as their room allows, for each time costs CPU."""

# A recorder that is killed loses no more than this.
_LONGEST = 5.0
# Where no rate limits how many rows come: as many as never before may come at any time.
_LONGEST_UNEXPECTED = 1.0
_FIRST, _FIRST_UNEXPECTED, _SHORTEST = 1.0, 0.25, 0.1
# They are moved when about this share of the room is taken.
_CROWDED = 4


class Pace:
    """Says when it is time.

    Args:
        room: How many rows there is room for.
        rate: How many rows a second may come at most; 0 if that is not known.
        now: Seconds, on any clock.
    """

    def __init__(self, room: int, rate: int, now: float) -> None:
        enough = room / _CROWDED
        self._longest = min(_LONGEST, enough / rate) if rate else _LONGEST_UNEXPECTED
        self._interval = min(_FIRST if rate else _FIRST_UNEXPECTED, self._longest)
        self._enough, self._moved = enough, now

    def left(self, now: float) -> float:
        """Return how many seconds are left; 0 or less if it is time."""
        return self._moved + self._interval - now

    def moved(self, rows: int, now: float) -> None:
        """Rows were moved: the next time is when as many as are enough will have come, if they go on so."""
        until_enough = (now - self._moved) * self._enough / max(rows, 1)
        self._interval = max(min(until_enough, 2 * self._interval, self._longest), _SHORTEST)
        self._moved = now
