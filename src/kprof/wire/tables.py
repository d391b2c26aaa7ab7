"""The tables of a profile, in Parquet or JSON: what their files are called, and which there are."""

VERSION = 1
HEAD = "kprof.json"
RELATIONS = ("samples", "stacks", "frames", "mappings", "events")
