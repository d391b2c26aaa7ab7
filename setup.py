from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel

# One binary serves CPython 3.11 and everything after it.
LIMITED_API = "0x030B0000"


class AbiWheel(bdist_wheel):
    def finalize_options(self) -> None:
        self.py_limited_api = "cp311"
        super().finalize_options()


CORE = Path("src/kprof/_native/core")
# Which families of the C core each module is made of; a family is the first word of a file's name.
MODULES = {
    "_text": {"memory", "intern", "text", "fold"},
    "_folded": {"memory", "intern", "folded"},
    "_perf": {"memory", "intern", "perf", "cfi", "unwind"},
    "_unwind": {"memory", "intern", "cfi", "unwind"},
    "_dwarf": {"memory", "intern", "dwarf"},
    "_symbols": {"memory", "intern", "symbols", "demangle"},
    "_tree": {"memory", "intern", "tree"},
    "_pprof": {"pprof"},
}


def extension(name: str, families: set[str]) -> Extension:
    return Extension(
        f"kprof._native.{name}",
        [
            f"src/kprof/_native/{name}.pyx",
            *sorted(str(file) for file in CORE.glob("*.c") if file.stem.split("_")[0] in families),
        ],
        include_dirs=["src/kprof/_native"],
        define_macros=[("Py_LIMITED_API", LIMITED_API), ("_GNU_SOURCE", None)],
        extra_compile_args=[
            "-std=gnu11",
            "-O3",
            "-g1",
            "-fvisibility=hidden",
            "-Wall",
            "-Wextra",
            "-Wno-unused-parameter",
        ],
        depends=sorted(map(str, CORE.glob("*.h"))),
        py_limited_api=True,
    )


setup(
    ext_modules=cythonize([extension(*item) for item in MODULES.items()], language_level=3),
    cmdclass={"bdist_wheel": AbiWheel},
)
