"""Waiting for what a recorder must see to, without looking for it again and again."""

import os
import select
import signal
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import Self


class Waiting:
    """Wakes up when a signal comes, a process ends, or a file descriptor has something.

    Used in the main thread only, like signals.

    Args:
        descriptors: Watched until the end, such as ring buffers. They wake when the kernel says so, and not
            for as long as there is something in them.
        pids: Processes whose end is waited for. Ends of single threads are not noticed.
    """

    def __init__(self, descriptors: Iterable[int], pids: Iterable[int]) -> None:
        self._stack = ExitStack()
        self._poll = self._stack.enter_context(select.epoll())
        for descriptor in descriptors:
            self._poll.register(descriptor, select.EPOLLIN | select.EPOLLET)
        for pid in pids:
            # Not there any more, or a thread.
            with suppress(OSError):
                self._watch(os.pidfd_open(pid))
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stack.callback(os.close, writing)
        self._watch(reading)
        self._stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writing, warn_on_full_buffer=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _watch(self, descriptor: int) -> None:
        self._stack.callback(os.close, descriptor)
        # The end of a process stays: it must not wake us again and again.
        self._poll.register(descriptor, select.EPOLLIN | select.EPOLLET)

    def wait(self, seconds: float) -> None:
        """Wait for any of these, or until the time is over."""
        self._poll.poll(max(seconds, 0))
