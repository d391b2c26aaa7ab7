"""BCC, driven: C is generated, and compiled, loaded and read by a child that the system's Python runs."""
