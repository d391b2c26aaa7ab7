"""bpftrace, driven: programs are generated, run in a child, and what they print is read."""
