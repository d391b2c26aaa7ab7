"""The emulated machines. They run side by side, for each keeps one processor busy most of the time."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = {"test_debian_kernel": "guest", "test_reach": "guest_reach"}
COMPILES = {"guest_reach"}
SECONDS = 1500


def pytest_collection_modifyitems(items):
    """Put last what waits for a machine."""
    items.sort(key=lambda item: item.path.parent == HERE and item.path.stem in SCRIPTS)


@pytest.fixture(scope="session")
def machines(request, tmp_path_factory):
    """What the scripts of the chosen tests report, by name, as futures."""
    spec = importlib.util.spec_from_file_location("machine", HERE / "machine.py")
    machine = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(machine)
    wanted = {SCRIPTS[item.path.stem] for item in request.session.items if item.path.stem in SCRIPTS}
    folders = {name: tmp_path_factory.mktemp(name) for name in sorted(wanted)}
    with ThreadPoolExecutor(len(folders)) as pool:
        yield {
            name: pool.submit(
                machine.run_in_guest, HERE / f"{name}.py", folder, seconds=SECONDS, compiles=name in COMPILES
            )
            for name, folder in folders.items()
        }
        machine.switch_off()
