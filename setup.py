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
text = Extension(
    "kprof._native._text",
    ["src/kprof/_native/_text.pyx", *sorted(map(str, CORE.glob("*.c")))],
    include_dirs=["src/kprof/_native"],
    define_macros=[("Py_LIMITED_API", LIMITED_API), ("_GNU_SOURCE", None)],
    extra_compile_args=["-std=gnu11", "-O3", "-g1", "-Wall", "-Wextra", "-Wno-unused-parameter"],
    depends=sorted(map(str, CORE.glob("*.h"))),
    py_limited_api=True,
)
setup(ext_modules=cythonize([text], language_level=3), cmdclass={"bdist_wheel": AbiWheel})
