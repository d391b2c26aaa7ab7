"""Recordings of `perf record`, read without perf."""
