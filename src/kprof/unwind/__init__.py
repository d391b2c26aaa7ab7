"""Copies of stacks -> return addresses."""
