"""`python -m kprof`."""

from kprof.cli import main

main()
