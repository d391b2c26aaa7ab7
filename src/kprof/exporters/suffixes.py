"""What ends of file names mean, in a module that costs nothing to import."""

SUFFIXES = {
    "folded": (".folded", ".collapsed"),
    "html": (".html",),
    "pprof": (".pb.gz", ".pprof"),
    "speedscope": (".speedscope.json",),
    "firefox": (".firefox.json",),
    "chrome": (".trace.json", ".perfetto.json"),
    "otlp": (".otlp", ".otlp.pb"),
    "kprof": (".kprof",),
    "parquet": (".parquet",),
    "json": (".tables.json",),
    "csv": (".csv",),
}
ALL_SUFFIXES = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


def without_suffix(name: str) -> str:
    """Return a file name without the end that tells its format, such as `.pb.gz`."""
    for suffix in ALL_SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
