"""Names in OTLP profiles that kprof writes and reads.

Source: profiles/v1development/profiles.proto of https://github.com/open-telemetry/opentelemetry-proto,
an experimental format, and OpenTelemetry's semantic conventions for processes, threads and profiles.
"""

# Attributes of samples, and their columns of `Samples`.
NUMBERS = {
    "process.pid": "pid",
    "thread.id": "tid",
    "cpu.logical_number": "cpu",
    "kprof.sample.count": "count",
}
TEXTS = {"thread.name": "comm", "process.linux.cgroup": "cgroup"}
BUILD_ID = "process.executable.build_id.gnu"
FRAME_TYPE = "profile.frame.type"
# `Kind` by name, which says more than the type does.
FRAME_KIND = "kprof.frame.kind"
FACTS = {"host": "host.name", "kernel": "os.version", "command": "process.command_line"}
OTHER_FACTS = "kprof.fact."
QUALITY = "kprof.quality"
UNITS = {"ns": "nanoseconds"}
EXTRA = "pip install 'kprof[otlp]'"
