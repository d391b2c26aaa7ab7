"""Headers of the kernel that runs, or of another one, put together where they lie apart."""

import platform

import pytest

from kprof.errors import NotAvailableError
from kprof.system import headers as module
from kprof.system.headers import find_headers, other_headers


@pytest.fixture
def debian(tmp_path, monkeypatch):
    """Debian has what was generated apart from the rest."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(module.platform, "release", lambda: "9.9")
    for release in ("6.1.0-9", "6.1.0-57"):
        for name, files in (
            ("source", ("include/linux/kconfig.h", "arch/x86/include/asm/page.h")),
            ("build", ("include/generated/autoconf.h", "arch/x86/include/generated/asm/x.h")),
        ):
            for file in files:
                path = tmp_path / "root/lib/modules" / release / name / file
                path.parent.mkdir(parents=True)
                path.write_text(release)
    return tmp_path / "root"


def test_those_of_the_newest_other_kernel(debian, tmp_path):
    folder = tmp_path / "ours"
    folder.mkdir()
    found = find_headers(str(folder), str(debian))
    assert found.release == other_headers(str(debian)) == "6.1.0-57"
    whole = folder / "headers"
    assert found.variables == {"BCC_KERNEL_SOURCE": str(whole)}
    for file in ("include/linux/kconfig.h", "include/generated/autoconf.h", "arch/x86/include/asm/page.h"):
        assert (whole / file).read_text() == "6.1.0-57"


def test_its_own_need_no_help(debian, tmp_path):
    (debian / "lib/modules/9.9/build/include").mkdir(parents=True)
    assert find_headers(str(tmp_path), str(debian)).variables == {}


def test_none(tmp_path):
    with pytest.raises(NotAvailableError, match="headers of the kernel") as caught:
        find_headers(str(tmp_path), str(tmp_path))
    assert "install them" in caught.value.help_text
