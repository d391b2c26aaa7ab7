"""What `kprof record` leaves, and where."""

import re
import sys


def test_standard_output_holds_the_result_alone(record, busy_for):
    code = "print('mine', flush=True)\n" + busy_for(0.3)
    done = record("-o", "-", "--", sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "mine\n" in done.stderr
    assert all(re.fullmatch(r".+ \d+", line) for line in done.stdout.splitlines())


def test_raw_data_and_page(record, tmp_path, busy):
    done = record("-p", str(busy.pid), "-d", "0.5", "-o", "raw.data")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "raw.data").read_bytes()[:8] == b"PERFILE2"
    done = record("-p", str(busy.pid), "-d", "0.5", "-o", "page.html", "--keep-data")
    assert done.returncode == 0, done.stderr
    assert "cpu-clock" in (tmp_path / "page.html").read_text()
    assert (tmp_path / "page.data").exists()


def test_nothing_is_overwritten_unasked(record, tmp_path):
    (tmp_path / "out.folded").write_text("mine")
    done = record("--", "true")
    assert (done.returncode, (tmp_path / "out.folded").read_text()) == (2, "mine")
    assert "--force" in done.stderr
