"""A recording that is named where its binaries are not."""

import shutil
import subprocess
import sys

KPROF = [sys.executable, "-m", "kprof"]
PROGRAM = "int main(void) { for (volatile long i = 0; i < 400000000; i++); return 0; }\n"


def kprof(folder, *arguments):
    done = subprocess.run([*KPROF, *arguments], cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def test_names_come_from_the_archive_when_the_binary_is_gone(tmp_path):
    (tmp_path / "app.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-g", "-fno-omit-frame-pointer", "-o", "app", "app.c"], cwd=tmp_path, check=True)
    done = kprof(tmp_path, "record", "-F", "199", "--archive", "-o", "x.data", "--", "./app")
    assert b"x.data.archive" in done.stderr
    (tmp_path / "app").unlink()
    assert b";main:app.c:1 " in kprof(tmp_path, "fold", "x.data", "--srcline", "-q").stdout
    shutil.rmtree(tmp_path / "x.data.archive")
    gone = kprof(tmp_path, "fold", "x.data", "-q").stdout
    assert b";main" not in gone
    assert b";[app]" in gone
