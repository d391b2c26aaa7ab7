"""The file that the bpf recorder leaves; docs/reference/bpf-dump.md describes it."""

MAGIC = b"KPROFBPF"
VERSION = 1

# Magic, version, and a word that is 0.
HEAD = "<8sII"
# Kind, CRC-32 of the payload, bytes of the payload; each payload is filled up to a multiple of 8.
BLOCK = "<IIQ"
ALIGN = 8

META = 1
SPACE = 2
STACKS = 3
ROWS = 4
TALLIES = 5
END = 6
COPIES = 7
JOINS = 8
