"""Places in programs: functions by patterns, and the probes that programs hold for tracers."""

import re
import subprocess
import time

import pytest

from kprof.errors import UsageError
from kprof.recorders import RecordRequest, find_recorder
from kprof.recorders.bpf import engine, uprobes

# `sold` is passed over unless somebody counts himself among its tracers; `bought` is always passed through.
SHOP = """
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#include <stdlib.h>
#include <unistd.h>
unsigned short shop_sold_semaphore __attribute__((section(".probes")));
unsigned short shop_bought_semaphore __attribute__((section(".probes")));
__attribute__((noinline)) void sell(int n) { if (shop_sold_semaphore) STAP_PROBE2(shop, sold, n, 7); }
__attribute__((noinline)) void buy(int n) { STAP_PROBE1(shop, bought, n); }
int main(int count, char **arguments) {
    (void)arguments;
    do {
        for (int i = 0; i < 1234; i++) sell(i);
        for (int i = 0; i < 321; i++) buy(i);
        usleep(100000);
    } while (count > 1);
    return shop_sold_semaphore + shop_bought_semaphore;
}
"""


@pytest.fixture(scope="module")
def shop(compiled):
    return compiled("shop", SHOP)


@pytest.mark.parametrize(
    ("probe", "found"),
    [
        ("shop:sold", {"shop;__libc_start_call_main;main;sell": 1234}),
        ("shop:bought", {"shop;__libc_start_call_main;main;buy": 321}),
        (
            "s*:*",
            {"shop;__libc_start_call_main;main;sell": 1234, "shop;__libc_start_call_main;main;buy": 321},
        ),
    ],
)
def test_probes_count_every_time(record, weights, tmp_path, shop, probe, found):
    """The program leaves with the number of its tracers' places: they are gone when it is not recorded."""
    done = record("-e", f"usdt:{shop}:{probe}", "--", shop)
    assert done.returncode == len(found) if "*" in probe else 1, done.stderr
    assert weights(tmp_path / "out.folded") == found
    assert f"is {len(found)} place" in done.stderr
    assert subprocess.run([shop], check=False).returncode == 0


def test_probes_of_a_process_that_runs(record, weights, tmp_path, shop):
    """By the name of its file, or without any; and its counters are 0 again afterwards."""
    process = subprocess.Popen([shop, "on"])
    try:
        time.sleep(0.1)
        for path in ("shop", ""):
            done = record("-e", f"usdt:{path}:shop:sold", "-p", str(process.pid), "-d", "1", "-f")
            assert done.returncode == 0, done.stderr
            (count,) = weights(tmp_path / "out.folded").values()
            assert count % 1234 == 0 or count > 1234
        done = record("-e", "usdt::shop:stolen", "-p", str(process.pid), "-d", "1", "-f")
        assert done.returncode == 2
        assert "no probe shop:stolen in what the target uses; there is shop:sold" in done.stderr
    finally:
        process.kill()
        process.wait()


def test_a_library_holds_probes_too(record, weights, tmp_path):
    """The C++ library tells of every exception."""
    source, program = tmp_path / "throws.cc", tmp_path / "throws"
    source.write_text("int main() { for (int i = 0; i < 77; i++) try { throw i; } catch (int) {} }")
    subprocess.run(["g++", "-O0", source, "-o", program], check=True)
    libraries = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    library = re.search(r"/\S*libstdc\+\+\S*", libraries)[0]
    done = record("-e", f"usdt:{library}:libstdcxx:throw", "--", program)
    if "has no probes at all" in done.stderr:
        pytest.skip("this C++ library was built without probes")
    assert done.returncode == 0, done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == 77


MANY = "\n".join(
    f'__attribute__((noinline)) void step_{i}(void) {{ __asm__ volatile(""); }}' for i in range(200)
)
MANY += (
    "\nint main(void) {\n"
    + "\n".join(f"for (int i = 0; i < {i + 1}; i++) step_{i}();" for i in range(200))
    + "\n}\n"
)


@pytest.fixture(scope="module")
def many(compiled):
    return compiled("many", MANY)


def test_functions_by_a_pattern(record, weights, tmp_path, many):
    """The n-th of 200 functions is called n times."""
    done = record("-e", f"uprobe:{many}:step_*", "--", many)
    assert done.returncode == 0, done.stderr
    assert "is 200 places" in done.stderr
    found = {stack.rpartition(";")[2]: weight for stack, weight in weights(tmp_path / "out.folded").items()}
    assert found == {f"step_{i}": i + 1 for i in range(200)}
    done = record("-e", f"uretprobe:{many}:step_1[0-9]", "-f", "--", many)
    assert done.returncode == 0, done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == sum(range(11, 21))


@pytest.mark.parametrize("event", ["uprobe:{many}:step_1*", "usdt:{shop}:shop:sold"])
def test_all_places_at_once_and_one_by_one_count_the_same(
    kprof, weights, tmp_path, monkeypatch, many, shop, event
):
    """As on kernels that cannot do the first, such as Debian's 6.1."""
    counted = []
    for at_once in (True, False):
        for module in (engine, uprobes):
            monkeypatch.setattr(module, "many_at_once", lambda at_once=at_once: at_once)
        folder = tmp_path / str(at_once)
        folder.mkdir()
        command = [str(many if "many" in event else shop)]
        request = RecordRequest(command=command, events=[event.format(many=many, shop=shop)])
        recording = find_recorder("bpf")(request, str(folder), note=print, progress=print)
        assert kprof("fold", recording.path, "-o", "out.folded").returncode == 0
        counted.append(weights(tmp_path / "out.folded"))
    assert counted[0] == counted[1]
    assert sum(counted[0].values()) == (
        1234 if "usdt" in event else sum((2, *range(11, 21), *range(101, 201)))
    )


def test_more_places_than_one_by_one_is_good_for(tmp_path, monkeypatch, many):
    for module in (engine, uprobes):
        monkeypatch.setattr(module, "many_at_once", lambda: False)
    monkeypatch.setattr(uprobes, "_MOST_ALONE", 100)
    request = RecordRequest(command=[str(many)], events=[f"uprobe:{many}:step_*"])
    with pytest.raises(UsageError, match=r"200 places in .* are too many to be attached one by one"):
        find_recorder("bpf")(request, str(tmp_path), note=print, progress=print)
