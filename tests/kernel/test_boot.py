"""The machines begin to boot here; what they report is looked at last, when other tests have been run meanwhile."""

import platform

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the emulated machine is an x86-64"),
]


def test_machines_are_started(machines):
    assert machines
