"""Lists of CPUs."""

import pytest

from kprof.errors import UsageError
from kprof.system.cpus import chosen_cpus, online_cpus


@pytest.fixture
def sys(tmp_path):
    folder = tmp_path / "devices/system/cpu"
    folder.mkdir(parents=True)
    (folder / "online").write_text("0-3,8\n")
    return str(tmp_path)


def test_those_that_are_online(sys, tmp_path):
    assert online_cpus(sys) == (0, 1, 2, 3, 8)
    assert online_cpus(str(tmp_path / "nothing")) == (0,)


def test_those_that_are_chosen(sys):
    assert chosen_cpus("", sys) == (0, 1, 2, 3, 8)
    assert chosen_cpus("8,1-2,1", sys) == (1, 2, 8)


@pytest.mark.parametrize(
    ("text", "says"), [("5", "CPU 5 is not online"), ("x", "not a list"), ("1-", "not a list")]
)
def test_those_that_are_not_there(sys, text, says):
    with pytest.raises(UsageError, match=says):
        chosen_cpus(text, sys)
