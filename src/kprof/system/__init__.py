"""This machine: /proc, tools, files. The only room that starts processes."""
