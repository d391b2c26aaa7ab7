"""What a child writes, gathered by a thread, so that it never has to wait for us."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, Generic, TypeVar

Piece = TypeVar("Piece")
_PATIENCE = 10.0


class Gathered(Generic[Piece]):
    """What a child wrote, piece by piece.

    Args:
        stream: Where it writes.
        take: Reads a piece; gives None at the end.
    """

    def __init__(self, stream: BinaryIO, take: Callable[[BinaryIO], Piece | None]) -> None:
        self._queue: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._ended = False
        self._stream = stream
        self._thread = threading.Thread(target=self._gather, args=(stream, take), daemon=True)
        self._thread.start()

    def _gather(self, stream: BinaryIO, take: Callable[[BinaryIO], Piece | None]) -> None:
        try:
            while (piece := take(stream)) is not None:
                self._queue.put(piece)
        except (OSError, ValueError):
            pass
        finally:
            self._queue.put(None)

    def next(self, seconds: float) -> Piece | None:
        """Return the next piece, None if none comes in this time, or any more."""
        if self._ended:
            return None
        try:
            piece = self._queue.get(timeout=seconds) if seconds > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None
        self._ended = piece is None
        return piece

    def here(self) -> Iterator[Piece]:
        """Give all that has come."""
        while (piece := self.next(0)) is not None:
            yield piece

    def close(self) -> None:
        """Close our end, once the child has ended."""
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            self._stream.close()

    @property
    def ended(self) -> bool:
        """Whether the child closed its end, and all was taken."""
        return self._ended
