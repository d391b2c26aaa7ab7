"""Constants of foreign layouts; no functions."""
