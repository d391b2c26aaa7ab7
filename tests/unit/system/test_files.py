"""Inputs and outputs: closed, full, slow and damaged ones."""

import errno
import io
import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from kprof.errors import OutputError, UsageError
from kprof.system.files import open_input, write_whole


class Full(io.RawIOBase):
    """Takes a little at a time, then nothing."""

    def __init__(self, room):
        self.taken, self.room = b"", room

    def write(self, data):
        if len(self.taken) >= self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = bytes(data[: min(1000, self.room - len(self.taken))])
        self.taken += part
        return len(part)


def standard(stream):
    return SimpleNamespace(buffer=stream, flush=lambda: None)


def test_standard_output_that_takes_a_little_at_a_time(monkeypatch):
    stream = Full(1 << 20)
    monkeypatch.setattr(sys, "stdout", standard(stream))
    write_whole("-", b"a" * 54_321)
    assert stream.taken == b"a" * 54_321


def test_standard_output_on_a_full_disk(monkeypatch):
    monkeypatch.setattr(sys, "stdout", standard(Full(2500)))
    with pytest.raises(OutputError, match="No space left"):
        write_whole("-", b"a" * 54_321)


def test_closed_standard_streams(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OutputError, match="closed"):
        write_whole("-", b"a")
    with pytest.raises(UsageError, match="closed"), open_input("-"):
        pass


def test_an_input_that_fails_while_it_is_read():
    with open_input("/proc/self/mem") as file, pytest.raises(UsageError, match="cannot read /proc/self/mem"):
        file.read(10)


def test_an_input_that_does_not_wait_is_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    ends = os.open(path, os.O_RDWR)

    def later():
        time.sleep(0.1)
        os.write(ends, b"late")

    with open_input(str(path)) as file:
        os.set_blocking(file.fileno(), False)
        thread = threading.Thread(target=later)
        thread.start()
        assert file.read(10) == b"late"
        thread.join()
    os.close(ends)


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputError, match="cannot write"):
        write_whole(str(tmp_path / "a"), b"x")
    with pytest.raises(UsageError, match="cannot read"), open_input(str(tmp_path / "a")):
        pass


def test_a_name_as_long_as_names_may_be(tmp_path):
    target = Path(tmp_path, "ü" * 127)
    write_whole(str(target), b"x")
    assert target.read_bytes() == b"x"
