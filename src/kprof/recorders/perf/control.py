"""Talking to perf through named pipes.

perf's `--control fifo:` (perf 5.10) answers once it samples, and can be told to stop even when it runs
as root and we may not signal it.
"""

import os
import select
from contextlib import suppress
from pathlib import Path


class Control:
    """perf's control pipes.

    Args:
        folder: A private directory of ours.
    """

    def __init__(self, folder: str) -> None:
        paths = [str(Path(folder, name)) for name in ("control", "answer")]
        for path in paths:
            os.mkfifo(path, 0o600)
        # Opened for both directions, so that neither side waits for the other to open.
        self._out, self._in = (os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in paths)
        self.arguments = (f"--control=fifo:{','.join(paths)}",)
        self._asked = self._held = False

    def answers(self, seconds: float) -> bool:
        """Ask perf whether it samples; wait up to `seconds` for the answer."""
        if not self._asked:
            self._asked = True
            # `ping` would be clearer, but came with perf 5.12; enabling again what samples does nothing.
            os.write(self._out, b"enable\n")
        return bool(select.select([self._in], [], [], seconds)[0])

    def holds(self, seconds: float) -> bool:
        """Tell perf, which samples nothing yet, to go on so; wait up to `seconds` for its answer."""
        if not self._held:
            self._held = True
            os.write(self._out, b"disable\n")
        answered = bool(select.select([self._in], [], [], seconds)[0])
        if answered:
            os.read(self._in, 1 << 16)
        return answered

    def flush(self) -> None:
        """Have perf write what it holds: it empties its buffers whenever a message wakes it."""
        with suppress(OSError):
            os.write(self._out, b"ping\n")
        with suppress(OSError):
            # An answer that nobody reads would fill the pipe in the end.
            os.read(self._in, 1 << 16)

    def stop(self) -> None:
        """Tell perf to finish its file and end."""
        with suppress(OSError):
            os.write(self._out, b"stop\n")

    def close(self) -> None:
        """Close the pipes."""
        os.close(self._out)
        os.close(self._in)
