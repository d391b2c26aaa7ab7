"""The command line as a whole: its completion, its help, and what it says of misplaced options."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(kprof, shell):
    done = kprof(
        env={
            **os.environ,
            "_KPROF_COMPLETE": f"complete_{shell}",
            "_TYPER_COMPLETE_ARGS": "kprof ",
            "COMP_WORDS": "kprof ",
            "COMP_CWORD": "1",
        }
    )
    assert "record" in done.stdout or "record" in done.stderr or done.returncode == 0


def test_help_does_not_import_what_it_does_not_need():
    code = (
        "import sys\nfrom kprof.cli import app\n"
        "print([m for m in ('numpy', 'pandas', 'plotly', 'rich') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_options_of_a_command_belong_behind_two_dashes(kprof):
    done = kprof("record", "ls", "-la", env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 2
    assert "kprof record -- ls -la" in done.stderr
    assert "behind --" not in kprof("record", "-j", "ls").stderr
