"""Names that runtimes write into perf maps: what compiled a function, and what it is called.

Sources: Python's `Python/perf_trampoline.c` (`py::NAME:FILE`), V8's `src/logging/log.cc`
(`JS:*NAME FILE:LINE:COLUMN`; `LazyCompile:` before V8 9.5), perf-map-agent (`Lcom/example/Job;::run`) and the
JDK's `Compiler.perfmap` (`void com.example.Job.run(int)`).
"""

import re

from kprof.model import Kind

_PYTHON = "py::"
# What stands between a folder of Python's and the name of a module.
_PYTHON_HOME = re.compile(r".*/(?:site-packages|dist-packages|lib/python[\d.]+t?)/")
# The sign tells the tier: interpreted, baseline, optimised. A function has one frame, whatever its tier.
_SCRIPT = re.compile(r"(?:JS|LazyCompile|Function|Script|Eval):[~*^+=']?(.*)", re.DOTALL)
_V8 = re.compile(r"(?:Builtin|BytecodeHandler|Handler|RegExp|Stub|LoadIC|StoreIC|WasmFunction):", re.ASCII)
_PLACE = re.compile(r"([^/]*?) ?(/.*?|\S*?)((?::\d+){1,2})", re.DOTALL)
_NO_NAME = "(anonymous)"
_AGENT = re.compile(r"L([^;()\s]+);(?:::|\.)([^\s(;]+)(?:\(.*)?")
_JDK = re.compile(r"[\w.$]+(?:\[\])* ((?:[\w$]+\.)*[\w$]+)(?:[/+]0x[0-9a-f]+)?\.([\w$<>]+)(?:\(.*\))?")


def runtime_name(name: str) -> tuple[Kind, str]:
    """Return kind and readable name of a function of a perf map; `Kind.JIT` and the name itself if unknown.

    Args:
        name: As the runtime wrote it, perhaps without its argument list.
    """
    if name.startswith(_PYTHON):
        return Kind.PYTHON, _python(name.removeprefix(_PYTHON))
    if script := _SCRIPT.fullmatch(name):
        return Kind.JS, _script(script[1])
    if _V8.match(name):
        return Kind.JS, name
    if agent := _AGENT.fullmatch(name):
        return Kind.JAVA, f"{agent[1].replace('/', '.')}.{agent[2]}"
    if jdk := _JDK.fullmatch(name):
        return Kind.JAVA, f"{jdk[1]}.{jdk[2]}"
    return Kind.JIT, name


def _python(text: str) -> str:
    """`Job.run:/usr/lib/python3.12/json/decoder.py` -> `Job.run (json/decoder.py)`."""
    function, _, file = text.partition(":")
    if not file:
        return function
    inside = _PYTHON_HOME.match(file)
    return f"{function} ({file[inside.end() :] if inside else file.rpartition('/')[2]})"


def _script(text: str) -> str:
    """`round /app/busy.js:16:15` -> `round busy.js:16:15`."""
    place = _PLACE.fullmatch(text)
    if not place:
        return text or _NO_NAME
    name, file, where = place.groups()
    # node's own files have no folders of the host in their names.
    short = file if file.startswith("node:") else file.rpartition("/")[2]
    return f"{name or _NO_NAME} {short}{where}"
