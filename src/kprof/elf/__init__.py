"""ELF files: sections, symbol tables, build-ids, and where debug files lie."""
