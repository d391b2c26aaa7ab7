"""ELF files: sections, symbol tables, build-ids, and where debug files lie."""

from kprof.elf.file import ElfFile

__all__ = ["ElfFile"]
